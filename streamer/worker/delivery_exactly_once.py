"""Exactly once: all that jobs caused and their offsets become visible in one transaction."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Set
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
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

from streamer.errors import WorkerBroken
from streamer.worker.delivery import Offsets, broken
from streamer.worker.letters import Letter
from streamer.worker.message import Message

COMMIT_SECONDS = 60.0
# What a group's coordinator says to a worker whose partitions others may have by now (KIP-447).
GROUP_CHANGES = (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Transaction:
    """What one transaction carries, and whether it came through."""

    messages: list[Message]
    positions: dict[TopicPartition, int]
    committed: Future[bool]
    since: float


class ExactlyOnce:
    """Keeps what a job says until it is finished, and all jobs before it on its partition are.

    Then it and the offset go into one transaction, together with the other jobs that are ready. It
    is opened, filled and committed in one go, beside the loop, so slots never wait for it and it
    never comes near the broker's time limit for transactions.

    Args:
        producer: of transactions.
        consumer: whose group the offsets are of.
        offsets: of the messages that were taken.
        lease_seconds: a transaction that takes longer is given up: the process may have stood still
            and its partitions may be others'.
    """

    def __init__(
        self,
        producer: KafkaProducer,
        consumer: KafkaConsumer,
        offsets: Offsets,
        lease_seconds: float,
    ):
        self._lease_seconds = lease_seconds
        self._producer = producer
        self._consumer = consumer
        self._offsets = offsets
        self._said: dict[Message, list[Letter]] = {}
        self._finished: list[Message] = []
        self._transaction: _Transaction | None = None

    def emit(self, message: Message, letter: Letter) -> None:
        """Keep the letter."""
        self._said.setdefault(message, []).append(letter)

    def finish(self, message: Message, letters: list[Letter]) -> None:
        """Keep the last letters; the job is ready, unless others will run it again."""
        if not self._offsets.holds(message.place, message.offset):
            self.discard(message)
            return
        self._said.setdefault(message, []).extend(letters)
        self._finished.append(message)
        self._offsets.finish(message.place, message.offset)

    def discard(self, message: Message) -> None:
        """Drop what was kept: nobody has seen it."""
        self._said.pop(message, None)

    def drop_lost(self, ours: Set[TopicPartition]) -> None:  # noqa: ARG002
        """Jobs of partitions that were taken away are for other workers to finish."""
        self._drop_lost()

    def has_ended(self, message: Message) -> bool:
        """Never: what was not committed was not said."""
        self._drop(message)
        return False

    def _drop_lost(self) -> None:
        kept = self._transaction.messages if self._transaction is not None else ()
        for message in [m for m in self._finished if m not in kept]:
            if not self._offsets.finished(message.place, message.offset):
                self._drop(message)

    def _drop(self, message: Message) -> None:
        if message in self._finished:
            self._finished.remove(message)
        self.discard(message)

    def commit(self) -> None:
        """Start a transaction with all that is ready, unless one is on its way."""
        self._settle(0)
        if self._transaction is None:
            self._begin()
        elif time.monotonic() - self._transaction.since > COMMIT_SECONDS:
            raise _late(COMMIT_SECONDS)

    async def hand_over(self) -> None:
        """The same, and wait for it: what is on its way must not overtake the others' reading."""
        self.flush(COMMIT_SECONDS)

    def flush(self, seconds: float) -> None:
        """Wait until what is on its way and what is ready is committed."""
        for _ in range(2):
            self._settle(seconds)
            if self._transaction is not None:
                raise _late(seconds)
            self._begin()
        self._settle(seconds)

    def _settle(self, seconds: float) -> None:
        """See whether the transaction came through; forget it and what it held if so."""
        running = self._transaction
        if running is None or not wait_for([running.committed], seconds).done:
            return
        if running.committed.result():
            self._offsets.committed(running.positions)
            for message in running.messages:
                self._drop(message)
        self._transaction = None
        self._drop_lost()

    def _begin(self) -> None:
        positions, member = self._offsets.ready(), self._consumer.group_metadata()
        # A broker would take offsets of one that is not in the group unchecked.
        if not positions or member.generation_id < 0:
            return
        messages = [m for m in self._finished if m.offset < positions.get(m.place, 0)]
        letters = [letter for message in messages for letter in self._said[message]]
        committed = _in_thread(self._transact, letters, positions, member)
        self._transaction = _Transaction(messages, positions, committed, time.monotonic())

    def _transact(
        self, letters: list[Letter], positions: dict[TopicPartition, int], member: Any
    ) -> bool:
        """Whether all was committed; false if the group has changed."""
        end = time.monotonic() + self._lease_seconds
        offsets = {place: OffsetAndMetadata(offset, "", -1) for place, offset in positions.items()}
        try:
            self._producer.begin_transaction()
            for each in letters:
                self._producer.send(each.topic, each.value, each.key, each.headers)
            _require_time_left(end)
            self._producer.send_offsets_to_transaction(offsets, member)
            _require_time_left(end)
            self._producer.commit_transaction()
        except GROUP_CHANGES as error:
            self._producer.abort_transaction()
            log.warning("the group changes (%s); %s waits for that", error, positions)
            return False
        return True


def _require_time_left(end: float) -> None:
    if time.monotonic() > end:
        raise CommitFailedError("the transaction took longer than the membership is sure")


def _late(seconds: float) -> WorkerBroken:
    return broken(TimeoutError(f"no answer to a transaction for {seconds:g} s"))


def _in_thread(work: Callable[..., bool], *arguments: Any) -> Future[bool]:
    """Run ``work`` beside the loop; a thread that hangs does not keep the process alive."""
    future: Future[bool] = Future()

    def run() -> None:
        try:
            committed = work(*arguments)
        except KafkaError as error:
            future.set_exception(broken(error))
        except BaseException as error:  # noqa: BLE001 - raised where the future is asked
            future.set_exception(error)
        else:
            future.set_result(committed)

    threading.Thread(target=run, daemon=True, name="transaction").start()
    return future
