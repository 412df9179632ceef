"""One slot seen from the supervisor: a child process, and the job in it."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Generic, Literal, TypeVar

from streamer.acquire import sweep_stale
from streamer.config import Settings
from streamer.worker.memory import resident_mb
from streamer.worker.slot_process import Order, Ready, Retiring, slot_main
from streamer_client.records import (
    ClipBoundary,
    ClipCaption,
    Record,
    VideoDone,
    VideoError,
    VideoJob,
)

log = logging.getLogger(__name__)
_processes = multiprocessing.get_context("spawn")

SLOT_CRASHED = "slot_crashed"
SLOT_START = "slot_start"
# To load what a job needs: some seconds, more where many slots start at once from a cold disk.
START_SECONDS = 60.0

Ticket = TypeVar("Ticket")


@dataclass
class Running(Generic[Ticket]):
    """A job in a slot, and since when (monotonic)."""

    job: VideoJob
    ticket: Ticket
    since: float
    clips: int = 0


@dataclass(frozen=True)
class Said(Generic[Ticket]):
    """A record of a running job."""

    running: Running[Ticket]
    record: Record


class Slot(Generic[Ticket]):
    """One child process and the job it works on, if any."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self.running: Running[Ticket] | None = None
        self.ready = False
        self.retiring: str | None = None
        self._born = time.monotonic()
        self.pipe, theirs = _processes.Pipe()
        self.process = _processes.Process(
            target=slot_main,
            args=(theirs, settings, logging.getLogger().getEffectiveLevel()),
            name="streamer-slot",
            daemon=True,
        )
        with _ctrl_c_held_back():
            self.process.start()
        theirs.close()

    @property
    def free(self) -> bool:
        """Whether the slot can take a job."""
        return self.ready and self.running is None and self.retiring is None

    @property
    def has_retired(self) -> bool:
        """Whether it has ended its last job, and wants to be replaced."""
        return self.retiring is not None and self.running is None

    def start(self, job: VideoJob, ticket: Ticket, has_crashed: bool) -> None:
        """Give the slot a job. A slot that died while idle fails it through ``receive``."""
        self.running = Running(job, ticket, time.monotonic())
        try:
            self.pipe.send(Order(job, has_crashed))
        except OSError:
            log.warning("slot %s was gone when a job was handed to it", self.process.pid)

    def receive(self) -> Said[Ticket] | None:
        """The next record of the job; ``None`` for what the slot says of itself.

        Raises:
            EOFError: if the process has ended.
        """
        message = self.pipe.recv()
        if isinstance(message, Retiring):
            self.retiring = message.reason
            return None
        if isinstance(message, Ready) or self.running is None:
            self.ready = True
            return None
        running = self.running
        if isinstance(message, VideoDone):
            self.running = None
        elif isinstance(message, ClipBoundary) and not isinstance(message, ClipCaption):
            running.clips += 1
        return Said(running, message)

    def overdue(self) -> VideoError | None:
        """Why the slot must be ended, if it must: its start or job takes too long or too much."""
        if not self.ready and time.monotonic() - self._born > START_SECONDS:
            return _slot_error(
                SLOT_START,
                f"a slot was not ready after {START_SECONDS:g} s and was ended; is the disk that "
                "holds the packages too slow?",
                fault="worker",
            )
        if self.running is None:
            return None
        limits = self._settings.worker
        if time.monotonic() - self.running.since > limits.job_timeout_seconds:
            return _slot_error(
                "slot_timeout",
                f"the job took over {limits.job_timeout_seconds:g} s and was "
                "ended; raise worker.job_timeout_seconds if it is sound",
            )
        if resident_mb(self.process.pid) > limits.slot_memory_mb:
            return _slot_error(
                "slot_memory",
                f"the job used over {limits.slot_memory_mb} MB and was ended; "
                "raise worker.slot_memory_mb if it is sound",
            )
        return None

    def end(self, error: VideoError | None = None) -> Said[Ticket] | None:
        """Kill the process; the terminal record of the job it had, if any."""
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self._sweep()
        running, self.running = self.running, None
        if running is None:
            return None
        error = error or _slot_error(
            SLOT_CRASHED,
            f"the slot's process ended with code {self.process.exitcode} in the "
            "middle of the job; what it logged last says more",
            fault="worker",
        )
        return Said(running, _failed(running, error))

    def _sweep(self) -> None:
        """Remove what the process fetched; the job's end matters more than what is in the way."""
        try:
            sweep_stale(self._settings.acquire.temp_dir)
        except OSError as error:
            log.warning("cannot clean up acquire.temp_dir: %s", error)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Ctrl-C is the supervisor's: what is started here ignores it, but first has to load."""
    resource_tracker.ensure_running()  # It would let Ctrl-C through again while it starts.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _failed(running: Running[Ticket], error: VideoError) -> VideoDone:
    return VideoDone(
        video_id=running.job.video_id,
        url=running.job.url,
        status="failed",
        clips=running.clips,
        error=error,
        timings={"total": round(time.monotonic() - running.since, 4)},
    )


def _slot_error(kind: str, message: str, fault: Literal["job", "worker"] = "job") -> VideoError:
    return VideoError(stage="worker", kind=kind, message=message, fault=fault)
