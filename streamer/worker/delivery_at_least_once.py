"""At least once: everything is produced as it happens, offsets are committed after it."""

from __future__ import annotations

import logging
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import CommitFailedError, KafkaError, RebalanceInProgressError
from kafka.structs import OffsetAndMetadata

from streamer.worker.delivery import Offsets, broken
from streamer.worker.letters import Letter
from streamer.worker.message import Message

log = logging.getLogger(__name__)


@dataclass
class _Sent:
    """What was produced for one job."""

    acknowledgements: list[Any] = field(default_factory=list)
    complete: bool = False

    def is_acknowledged(self) -> bool:
        """Whether the broker has it all."""
        waiting = []
        for future in self.acknowledgements:
            if not future.is_done:
                waiting.append(future)
            elif not future.succeeded():
                raise broken(future.exception)
        self.acknowledgements = waiting
        return not waiting


class AtLeastOnce:
    """Commits an offset when all that its job said is acknowledged.

    A job that is run again says everything again, with equal ids.
    """

    def __init__(self, producer: KafkaProducer, consumer: KafkaConsumer, offsets: Offsets):
        self._producer = producer
        self._consumer = consumer
        self._offsets = offsets
        self._jobs: dict[Message, _Sent] = {}

    def emit(self, message: Message, letter: Letter) -> None:
        """Produce the letter at once."""
        self._send(self._jobs.setdefault(message, _Sent()), letter)

    def finish(self, message: Message, letters: list[Letter]) -> None:
        """Produce the last letters at once."""
        sent = self._jobs.setdefault(message, _Sent())
        for letter in letters:
            self._send(sent, letter)
        sent.complete = True

    def discard(self, message: Message) -> None:
        """What was produced stays; nothing of it counts for the next run."""
        self._jobs.pop(message, None)

    def drop_lost(self, ours: Set[TopicPartition]) -> None:
        """Jobs that ended on partitions of other workers are theirs to end again."""
        for message in self._complete():
            if message.place not in ours:
                self.discard(message)

    def has_ended(self, message: Message) -> bool:
        """Whether it ended here; those before it on its partition have been committed."""
        passed = [m for m in self._complete() if m.place == message.place]
        for earlier in passed:
            if earlier.offset < message.offset and not self._holds(earlier):
                self.discard(earlier)
        return message in self._jobs and self._jobs[message].complete

    def commit(self) -> None:
        """Commit, per partition, up to the first message that is not finished."""
        ready = self._ready()
        if not ready:
            return
        try:
            self._consumer.commit(_positions(ready))
        except (CommitFailedError, RebalanceInProgressError):
            log.warning("the group changes; %s is committed after that, if it stays here", ready)
        except KafkaError as error:
            raise broken(error) from error
        else:
            self._committed(ready)

    async def hand_over(self) -> None:
        """The same; what is not acknowledged yet is left to those who get the partition."""
        ready = self._ready()
        if not ready:
            return
        try:
            await self._consumer.commit_async(_positions(ready))
        except KafkaError as error:
            log.warning("%s was not committed before the group changes: %s", ready, error)
        else:
            self._committed(ready)

    def _ready(self) -> dict[TopicPartition, int]:
        for message in self._complete():
            # One that is not held was on a partition that was lost, and may come back.
            if self._holds(message) and self._jobs[message].is_acknowledged():
                self._offsets.finish(message.place, message.offset)
        return self._offsets.ready()

    def flush(self, seconds: float) -> None:
        """Wait for what is on its way, and commit."""
        try:
            self._producer.flush(timeout=seconds)
        except KafkaError as error:
            raise broken(error) from error
        self.commit()

    def _committed(self, positions: dict[TopicPartition, int]) -> None:
        for message in self._complete():
            if self._holds(message) and message.offset < positions.get(message.place, 0):
                self.discard(message)
        self._offsets.committed(positions)

    def _holds(self, message: Message) -> bool:
        return self._offsets.holds(message.place, message.offset)

    def _complete(self) -> list[Message]:
        return [message for message, sent in self._jobs.items() if sent.complete]

    def _send(self, sent: _Sent, letter: Letter) -> None:
        try:
            future = self._producer.send(
                letter.topic, value=letter.value, key=letter.key, headers=letter.headers
            )
        except KafkaError as error:
            raise broken(error) from error
        sent.acknowledgements.append(future)


def _positions(ready: dict[TopicPartition, int]) -> dict[TopicPartition, OffsetAndMetadata]:
    return {place: OffsetAndMetadata(offset, "", -1) for place, offset in ready.items()}
