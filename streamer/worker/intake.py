"""The consumer: which partitions are read, and when none is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kafka import AsyncConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streamer.worker.delivery import broken
from streamer.worker.membership import Membership
from streamer.worker.message import Message
from streamer_client.topics import Topics

POLL_MS = 20
# kafka-python joins the group inside `poll`. An answer of the broker that comes between two polls
# is dropped and asked for again, seconds later, so until then polls leave hardly a gap.
JOIN_POLL_MS = 1000
# Take all that was fetched: kafka-python 3.0 never goes on with a partition that is paused while
# some of its fetched records are left, if it fetches others meanwhile.
ALL_RECORDS = 1 << 30
# With every slot busy, polls leave the processors to the slots.
BUSY_POLL_MS = 1


class Intake:
    """Polls the topics of jobs in every round, so that the group lives, and takes what is wanted.

    Args:
        consumer: a member of the workers' group.
        topics: names of the topics.
        membership: of that group.
    """

    def __init__(self, consumer: KafkaConsumer, topics: Topics, membership: Membership):
        self._consumer = consumer
        self._topics = topics
        self._membership = membership

    def subscribe(self, listener: AsyncConsumerRebalanceListener) -> None:
        """Join the group at the next poll."""
        topics = self._topics
        self._consumer.subscribe([topics.priority, topics.videos, topics.retry], listener=listener)

    def poll(self, wanted: Callable[[TopicPartition], bool], *, patient: bool) -> Iterator[Message]:
        """New messages of the partitions that are wanted; waits for some if ``patient``."""
        self._pause(wanted)
        timeout_ms = POLL_MS if patient else BUSY_POLL_MS
        for records in self._polled(
            timeout_ms if self._membership.joined else JOIN_POLL_MS
        ).values():
            yield from map(Message.of, records)

    def assignment(self) -> set[TopicPartition]:
        """The partitions that are this worker's."""
        return set(self._consumer.assignment())

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _polled(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        try:
            polled: dict[TopicPartition, list[Any]] = self._consumer.poll(
                timeout_ms=timeout_ms, max_records=ALL_RECORDS
            )
        except KafkaError as error:  # also of what a listener raised
            raise broken(error.__cause__ or error) from error
        return polled

    def _pause(self, wanted: Callable[[TopicPartition], bool]) -> None:
        assigned, paused = self.assignment(), set(self._consumer.paused())
        reading = {place for place in assigned if wanted(place)}
        if reading & paused:
            self._consumer.resume(*(reading & paused))
        if assigned - reading - paused:
            self._consumer.pause(*(assigned - reading - paused))
