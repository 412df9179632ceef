"""The service: a supervisor that talks to Kafka and slots that process videos."""

from streamer.worker.assembly import make_worker
from streamer.worker.supervisor import Supervisor

__all__ = ["Supervisor", "make_worker"]
