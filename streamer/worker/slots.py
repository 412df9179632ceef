"""Slots seen from the supervisor: child processes that are replaced when they fail."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Generic, Literal, TypeVar

from streamer.acquire import sweep_stale
from streamer.config import Settings
from streamer.errors import WorkerBroken
from streamer.worker.slot_process import Ready, slot_main
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
        self.pipe, theirs = _processes.Pipe()
        self.process = _processes.Process(
            target=slot_main,
            args=(theirs, settings, logging.getLogger().getEffectiveLevel()),
            name="streamer-slot",
            daemon=True,
        )
        self.process.start()
        theirs.close()

    @property
    def free(self) -> bool:
        """Whether the slot can take a job."""
        return self.ready and self.running is None

    def start(self, job: VideoJob, ticket: Ticket) -> None:
        """Give the slot a job. A slot that died while idle fails it through ``receive``."""
        self.running = Running(job, ticket, time.monotonic())
        try:
            self.pipe.send(job)
        except OSError:
            log.warning("slot %s was gone when a job was handed to it", self.process.pid)

    def receive(self) -> Said[Ticket] | None:
        """The next record of the job; ``None`` for the message that the slot is ready.

        Raises:
            EOFError: if the process has ended.
        """
        message = self.pipe.recv()
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
        """Why the job must be ended, if it must: it takes too long or too much memory."""
        if self.running is None:
            return None
        limits = self._settings.worker
        if time.monotonic() - self.running.since > limits.job_timeout_seconds:
            return _slot_error(
                "slot_timeout",
                f"the job took over {limits.job_timeout_seconds:g} s and was "
                "ended; raise worker.job_timeout_seconds if it is sound",
            )
        if _resident_mb(self.process.pid) > limits.slot_memory_mb:
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
        sweep_stale(self._settings.acquire.temp_dir)
        running, self.running = self.running, None
        if running is None:
            return None
        error = error or _slot_error(
            SLOT_CRASHED,
            f"the slot's process ended with code {self.process.exitcode} in the "
            "middle of the job; its log says more",
            fault="worker",
        )
        return Said(running, _failed(running, error))


class SlotPool(Generic[Ticket]):
    """A fixed number of slots; whatever happens to one costs its own job alone.

    A job goes in with a ticket, the caller's own, and its records come out with it; the last of
    them is a ``VideoDone``, unless the job is abandoned. ``on_replaced`` is told why a slot was
    replaced.
    """

    def __init__(self, settings: Settings, on_replaced: Callable[[str], None]):
        self._settings, self._on_replaced = settings, on_replaced
        self._slots: list[Slot[Ticket]] = [Slot(settings) for _ in range(settings.worker.slots)]

    @property
    def free(self) -> int:
        """How many jobs can be taken now."""
        return sum(slot.free for slot in self._slots)

    @property
    def busy(self) -> int:
        """How many jobs are running."""
        return sum(slot.running is not None for slot in self._slots)

    @property
    def running_since(self) -> list[float]:
        """When each job that runs was started, by ``time.monotonic``."""
        return [slot.running.since for slot in self._slots if slot.running is not None]

    @property
    def tickets(self) -> list[Ticket]:
        """The tickets of the jobs that are running."""
        return [slot.running.ticket for slot in self._slots if slot.running is not None]

    def start(self, job: VideoJob, ticket: Ticket) -> None:
        """Give a job to a free slot; there must be one."""
        next(slot for slot in self._slots if slot.free).start(job, ticket)

    def abandon(self, unwanted: Callable[[Ticket], bool]) -> list[Ticket]:
        """End the jobs whose ticket is unwanted, without a record; returns their tickets."""
        slots = [slot for slot in self._slots if slot.running and unwanted(slot.running.ticket)]
        ended = [self._replace(slot, "abandoned") for slot in slots]
        return [last.running.ticket for last in ended if last is not None]

    def records(self, timeout: float) -> Iterator[Said[Ticket]]:
        """What the slots have said since, waiting at most ``timeout`` seconds for the first."""
        pipes = {slot.pipe: slot for slot in self._slots}
        for pipe in connection.wait(list(pipes), timeout):
            yield from self._received(pipes[pipe])  # type: ignore[index]
        for slot in self._slots:
            error = slot.overdue()
            if error is not None:
                yield from self._replaced(slot, error)

    def close(self) -> None:
        """End all slots; jobs in them are abandoned."""
        for slot in self._slots:
            slot.end()

    def _received(self, slot: Slot[Ticket]) -> Iterator[Said[Ticket]]:
        try:
            while slot.pipe.poll():
                said = slot.receive()
                if said is not None:
                    yield said
        except (EOFError, OSError):
            yield from self._replaced(slot, None)

    def _replaced(self, slot: Slot[Ticket], error: VideoError | None) -> Iterator[Said[Ticket]]:
        last_words = self._replace(slot, error.kind if error else SLOT_CRASHED, error)
        if last_words is not None:
            yield last_words

    def _replace(
        self, slot: Slot[Ticket], reason: str, error: VideoError | None = None
    ) -> Said[Ticket] | None:
        last_words = slot.end(error)
        if not slot.ready:
            raise WorkerBroken(
                f"a slot ended with code {slot.process.exitcode} before it was ready; the log "
                "above says why",
                kind="slot_start",
            )
        log.warning("slot %s was replaced: %s", slot.process.pid, error or reason)
        self._on_replaced(reason)
        self._slots[self._slots.index(slot)] = Slot(self._settings)
        return last_words


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


def _resident_mb(pid: int | None) -> float:
    """Resident memory by ``/proc``; 0 where there is none (not Linux, or just ended)."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return int(fields[1]) * 4096 / (1 << 20)
