"""How what jobs cause gets to Kafka: one interface, an implementation per promise."""

from __future__ import annotations

from collections.abc import Set
from typing import Protocol

from kafka import TopicPartition

from streamer.errors import WorkerBroken
from streamer.worker.letters import Letter
from streamer.worker.message import Message
from streamer.worker.offsets import OffsetTracker

Offsets = OffsetTracker[TopicPartition]


class Delivery(Protocol):
    """Produces letters and commits the offsets of the messages that caused them.

    Every method raises :class:`WorkerBroken` if the broker does not take what it should.
    """

    def emit(self, message: Message, letter: Letter) -> None:
        """The job in ``message`` has something to say and goes on."""

    def finish(self, message: Message, letters: list[Letter]) -> None:
        """The job's last words; its offset may be committed with them, if it is still held."""

    def discard(self, message: Message) -> None:
        """The job will be run again: forget what it said, as far as that can be done."""

    def drop_lost(self, ours: Set[TopicPartition]) -> None:
        """Only these partitions are this worker's: forget finished jobs of others."""

    def has_ended(self, message: Message) -> bool:
        """Whether the job of a message that was taken ended here earlier, and need not run again:
        its partition was lost before the commit and came back."""

    def commit(self) -> None:
        """Commit what can be committed now."""

    async def hand_over(self) -> None:
        """Commit what can be committed before others get the partitions.

        Awaited on the consumer's own thread, where its methods that block must not be called.
        """

    def flush(self, seconds: float) -> None:
        """Wait until all that is finished is committed, at most ``seconds``."""


def broken(error: BaseException) -> WorkerBroken:
    """The end of a worker whose broker does not do its part."""
    if isinstance(error, WorkerBroken):
        return error
    return WorkerBroken(
        f"the broker does not take or give records ({type(error).__name__}: {error}); the worker "
        "stops and its jobs will be read again",
        kind="kafka_unavailable",
    )
