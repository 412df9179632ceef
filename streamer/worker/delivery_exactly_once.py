"""Exactly once: all that jobs caused and their offsets become visible in one transaction."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from kafka.structs import OffsetAndMetadata

from streamer.worker.delivery import Offsets, broken
from streamer.worker.letters import Letter
from streamer.worker.message import Message

COMMIT_SECONDS = 60.0
# What a group's coordinator says to a worker whose partitions another one has by now (KIP-447).
TAKEN_AWAY = (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

log = logging.getLogger(__name__)


class ExactlyOnce:
    """Keeps what a job says until it is finished, and all jobs before it on its partition are.

    Then it and the offset go into one transaction, together with the other jobs that are ready. It
    is opened, filled and committed in one go, beside the loop, so slots never wait for it and it
    never comes near the broker's time limit for transactions.
    """

    def __init__(self, producer: KafkaProducer, consumer: KafkaConsumer, offsets: Offsets):
        self._producer = producer
        self._consumer = consumer
        self._offsets = offsets
        self._said: dict[Message, list[Letter]] = {}
        self._finished: list[Message] = []
        self._transaction: Future[None] | None = None
        self._since = 0.0

    def emit(self, message: Message, letter: Letter) -> None:
        """Keep the letter."""
        self._said.setdefault(message, []).append(letter)

    def finish(self, message: Message, letters: list[Letter]) -> None:
        """Keep the last letters; the job is ready."""
        self._said.setdefault(message, []).extend(letters)
        self._finished.append(message)
        self._offsets.finish(message.place, message.offset)

    def discard(self, message: Message) -> None:
        """Drop what was kept: nobody has seen it."""
        self._said.pop(message, None)

    def commit(self) -> None:
        """Start a transaction with all that is ready, unless one is on its way."""
        self._drop_lost()
        if self._transaction is not None and self._transaction.done():
            self._transaction.result()
            self._transaction = None
        if self._transaction is None:
            self._begin()
        elif time.monotonic() - self._since > COMMIT_SECONDS:
            raise broken(TimeoutError(f"no answer to a transaction for {COMMIT_SECONDS:g} s"))

    def flush(self, seconds: float) -> None:
        """Wait until all that is ready is committed."""
        deadline = time.monotonic() + seconds
        self.commit()
        while self._transaction is not None:
            wait_for([self._transaction], max(deadline - time.monotonic(), 0))
            if not self._transaction.done():
                raise broken(TimeoutError(f"no answer to a transaction for {seconds:g} s"))
            self.commit()

    def _drop_lost(self) -> None:
        """Jobs of partitions that were taken away are for other workers to finish."""
        lost = [m for m in self._finished if not self._offsets.holds(m.place, m.offset)]
        for message in lost:
            self._finished.remove(message)
            self.discard(message)

    def _begin(self) -> None:
        member = self._consumer.group_metadata()
        if member.generation_id < 0:
            return  # Not in the group: a broker would take offsets of such a one unchecked.
        moved = self._offsets.advance()
        if not moved:
            return
        ready = [m for m in self._finished if m.offset < moved.get(m.place, 0)]
        self._finished = [m for m in self._finished if m not in ready]
        letters = [letter for message in ready for letter in self._said.pop(message)]
        self._since = time.monotonic()
        self._transaction = _in_thread(self._transact, letters, moved, member)

    def _transact(
        self, letters: list[Letter], moved: dict[TopicPartition, int], member: Any
    ) -> None:
        offsets = {place: OffsetAndMetadata(offset, "", -1) for place, offset in moved.items()}
        try:
            self._producer.begin_transaction()
            for each in letters:
                self._producer.send(each.topic, each.value, each.key, each.headers)
            self._producer.send_offsets_to_transaction(offsets, member)
            self._producer.commit_transaction()
        except TAKEN_AWAY as error:
            self._producer.abort_transaction()
            log.warning("partitions were taken away before %s was committed: %s", moved, error)


def _in_thread(work: Any, *arguments: Any) -> Future[None]:
    """Run ``work`` beside the loop; a thread that hangs does not keep the process alive."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work(*arguments)
        except KafkaError as error:
            future.set_exception(broken(error))
        except BaseException as error:  # noqa: BLE001 - raised where the future is asked
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, daemon=True, name="transaction").start()
    return future
