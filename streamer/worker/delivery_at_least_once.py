"""At least once: everything is produced as it happens, offsets are committed after it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import CommitFailedError, KafkaError
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

    def drop_lost(self) -> None:
        """Acknowledgements that come for jobs of lost partitions are nobody's concern."""
        for message in [m for m, sent in self._jobs.items() if sent.complete]:
            if not self._offsets.holds(message.place, message.offset):
                self.discard(message)

    def commit(self) -> None:
        """Commit, per partition, up to the first message that is not finished."""
        for message in self._settled():
            self._offsets.finish(message.place, message.offset)
        ready = self._offsets.ready()
        if not ready:
            return
        offsets = {place: OffsetAndMetadata(offset, "", -1) for place, offset in ready.items()}
        try:
            self._consumer.commit(offsets)
        except CommitFailedError:
            log.warning("the group changes; %s is committed after that, if it stays here", ready)
        except KafkaError as error:
            raise broken(error) from error
        else:
            self._offsets.committed(ready)

    def flush(self, seconds: float) -> None:
        """Wait for what is on its way, and commit."""
        try:
            self._producer.flush(timeout=seconds)
        except KafkaError as error:
            raise broken(error) from error
        self.commit()

    def _settled(self) -> Iterator[Message]:
        for message in [m for m, sent in self._jobs.items() if sent.complete]:
            if all(_acknowledged(future) for future in self._jobs[message].acknowledgements):
                del self._jobs[message]
                yield message

    def _send(self, sent: _Sent, letter: Letter) -> None:
        try:
            future = self._producer.send(
                letter.topic, value=letter.value, key=letter.key, headers=letter.headers
            )
        except KafkaError as error:
            raise broken(error) from error
        sent.acknowledgements.append(future)


def _acknowledged(future: Any) -> bool:
    if future.is_done and not future.succeeded():
        raise broken(future.exception)
    return bool(future.is_done)
