"""One place where every failure of a job becomes its status and error record."""

from __future__ import annotations

import logging
from typing import Literal

from streamer.errors import JobError, StreamerError, Unavailable
from streamer_client.errors import ModelDied, ModelError, ModelUnavailable
from streamer_client.records import VideoError

Status = Literal["failed", "rejected"]
Fault = Literal["job", "world"]

MODEL_DIED = "model_died"

log = logging.getLogger(__name__)


def describe(error: Exception, stage: str | None) -> tuple[Status, VideoError]:
    """The terminal status and error of a job that failed with ``error`` in ``stage``.

    A failure that is not of a known type is a bug of the service: it is logged with its trace and
    recorded as kind ``internal``.
    """
    status: Status = error.status if isinstance(error, JobError) else "failed"
    if isinstance(error, StreamerError):
        stage, kind, message = error.stage, error.kind, error.message
    else:
        kind, message = _foreign(error)
    return status, VideoError(
        stage=stage or "worker", kind=kind, message=message, fault=_fault(error)
    )


def _fault(error: Exception) -> Fault:
    return "world" if isinstance(error, Unavailable | ModelUnavailable) else "job"


def _foreign(error: Exception) -> tuple[str, str]:
    if isinstance(error, ModelDied):
        return MODEL_DIED, f"a model's process has ended ({error}); start Triton again"
    if isinstance(error, ModelUnavailable):
        return "triton_unavailable", (
            f"Triton did not answer ({error}); check that it runs and that triton.url is right"
        )
    if isinstance(error, ModelError):
        return "model_failed", f"{error}; see Triton's log"
    if isinstance(error, MemoryError):
        return "out_of_memory", "the slot ran out of memory; raise worker.slot_memory_mb"
    log.error("a bug: unexpected failure of a job", exc_info=error)
    return "internal", f"unexpected {type(error).__name__}: {error}; please report it"
