"""Slots seen from the supervisor: as many as are wanted, replaced when they fail."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from multiprocessing import connection
from typing import Generic

from streamer.config import Settings
from streamer.errors import WorkerBroken
from streamer.worker.slot import SLOT_CRASHED, SLOT_START, Said, Slot, Ticket
from streamer_client.records import VideoError, VideoJob

log = logging.getLogger(__name__)

START_TRIES = 3
SLOT_RETIRED = "retired"


class SlotPool(Generic[Ticket]):
    """A fixed number of slots; whatever happens to one costs its own job alone.

    A job goes in with a ticket, the caller's own, and its records come out with it; the last of
    them is a ``VideoDone``, unless the job is abandoned. ``on_replaced`` is told why a slot was
    replaced. ``WorkerBroken`` is raised when ``START_TRIES`` in a row do not come up.
    """

    def __init__(self, settings: Settings, on_replaced: Callable[[str], None]):
        self._settings, self._on_replaced = settings, on_replaced
        self._slots: list[Slot[Ticket]] = [Slot(settings) for _ in range(settings.worker.slots)]
        self._failed_starts = 0

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

    def start(self, job: VideoJob, ticket: Ticket, *, has_crashed: bool = False) -> None:
        """Give a job to a free slot; there must be one.

        Args:
            job: to be run.
            ticket: comes back with its records.
            has_crashed: whether its last slot crashed. With the decoder ``auto`` it is then decoded
                on the CPU: after a fault on a card, DALI ends the process.
        """
        next(slot for slot in self._slots if slot.free).start(job, ticket, has_crashed)

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
        for slot in [*self._slots]:
            error = slot.overdue()
            if error is not None:
                yield from self._replaced(slot, error)
            elif slot.has_retired:
                self._replace(slot, SLOT_RETIRED)

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
            if not slot.has_retired:
                yield from self._replaced(slot, None)

    def _replaced(self, slot: Slot[Ticket], error: VideoError | None) -> Iterator[Said[Ticket]]:
        last_words = self._replace(slot, error.kind if error else SLOT_CRASHED, error)
        if last_words is not None:
            yield last_words

    def _replace(
        self, slot: Slot[Ticket], reason: str, error: VideoError | None = None
    ) -> Said[Ticket] | None:
        last_words = slot.end(error)
        if reason == SLOT_RETIRED:
            log.info("slot %s gives way to a fresh one: %s", slot.process.pid, slot.retiring)
        else:
            cause = error.message if error else reason
            log.warning("slot %s has ended: %s", slot.process.pid, cause)
        self._judge_start(slot)
        self._on_replaced(reason)
        self._slots[self._slots.index(slot)] = Slot(self._settings)
        return last_words

    def _judge_start(self, slot: Slot[Ticket]) -> None:
        self._failed_starts = 0 if slot.ready else self._failed_starts + 1
        if self._failed_starts == START_TRIES:
            raise WorkerBroken(
                f"{START_TRIES} slots in a row ended before they were ready, the last one with "
                f"code {slot.process.exitcode}; the log above says why",
                kind=SLOT_START,
            )
