"""Proof from the topics alone that nothing was lost and what came twice."""

from streamer.audit.accounting import Clip, Fault, Job, Ledger, Report, account
from streamer.audit.reading import read_ledger

__all__ = ["Clip", "Fault", "Job", "Ledger", "Report", "account", "read_ledger"]
