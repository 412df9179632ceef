"""Every failure of the service, as one tree.

::

    StreamerError
    ├── UsageError             wrong setting or argument; nothing was attempted
    ├── JobError               this video will not succeed: one terminal record, no retry
    │   ├── JobRejected          refused by a rule of the service       status "rejected"
    │   └── JobFailed            tried, and it cannot be done           status "failed"
    ├── Unavailable            the world is bad for now: worth another attempt
    └── WorkerBroken           this process cannot go on; it stops, offsets uncommitted

The decoders' kinds: of ``JobFailed`` ``unsupported_codec``, ``undecodable``, ``dali_failed`` and
``gpu_fault``; of ``Unavailable`` ``gpu_out_of_memory``; of ``WorkerBroken`` ``gpu_missing``,
``gpu_driver_old`` and ``dali_missing``.

A ``kind`` names the cause in one word for machines; the message gives cause and cure in one
line for people. ``stage`` is the stage of the pipeline that met it.
"""

from __future__ import annotations

from typing import ClassVar, Literal


class StreamerError(Exception):
    """Base of all failures. ``message`` is one line: what happened and what to do."""

    default_kind: ClassVar[str] = "error"
    default_stage: ClassVar[str] = "worker"

    def __init__(self, message: str, *, kind: str | None = None, stage: str | None = None):
        super().__init__(message)
        self.message = " ".join(message.split())
        self.kind = kind or self.default_kind
        self.stage = stage or self.default_stage


class UsageError(StreamerError):
    """A wrong setting or argument."""

    default_kind = "usage"


class JobError(StreamerError):
    """The job is bad and stays bad."""

    status: ClassVar[Literal["rejected", "failed"]] = "failed"


class JobRejected(JobError):
    """A rule of the service refuses the job."""

    status = "rejected"


class JobFailed(JobError):
    """The job was tried and cannot be done."""

    status = "failed"


class Unavailable(StreamerError):
    """Something outside the job and the worker does not answer for now."""

    default_kind = "unavailable"


class WorkerBroken(StreamerError):
    """The worker itself cannot go on."""

    default_kind = "worker_broken"
