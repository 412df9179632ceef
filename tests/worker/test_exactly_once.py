"""A group that changes in mid-transaction: the embedded broker does not refuse old generations.

So the clients here are stand-ins that do what Apache Kafka's make kafka-python do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import IllegalGenerationError, ProducerFencedError

from streamer.errors import WorkerBroken
from streamer.worker.delivery import Offsets
from streamer.worker.delivery_exactly_once import ExactlyOnce
from streamer.worker.letters import Letter
from streamer.worker.message import Message

PLACE = TopicPartition("videos", 0)
SECONDS = 60.0
LEASE_SECONDS = 0.3


@dataclass
class Member:
    """A consumer's membership."""

    generation_id: int = 1


class Consumer:
    """In the group, unless told otherwise."""

    def __init__(self) -> None:
        self.member = Member()

    def group_metadata(self) -> Member:
        return self.member


@dataclass
class Producer:
    """Keeps what was committed; refuses offsets with the errors it is given."""

    refusals: list[Exception] = field(default_factory=list)
    committed: list[bytes] = field(default_factory=list)
    position: int = 0
    pending: list[bytes] = field(default_factory=list)
    offset: int = 0

    def begin_transaction(self) -> None:
        self.pending = []

    def send(self, _topic: str, value: bytes, _key: bytes, _headers: object) -> None:
        self.pending.append(value)

    def send_offsets_to_transaction(self, offsets: dict[TopicPartition, Any], _: Member) -> None:
        if self.refusals:
            raise self.refusals.pop()
        self.offset = offsets[PLACE].offset

    def commit_transaction(self) -> None:
        self.committed += self.pending
        self.position = self.offset

    def abort_transaction(self) -> None:
        self.pending = []


class Place:
    """A delivery and its stand-ins."""

    def __init__(self, *refusals: Exception):
        self.offsets, self.producer, self.consumer = Offsets(), Producer(list(refusals)), Consumer()
        self.delivery = ExactlyOnce(self.producer, self.consumer, self.offsets, LEASE_SECONDS)

    def take(self, *offsets: int) -> None:
        for offset in offsets:
            self.offsets.take(PLACE, offset)

    def finish(self, offset: int) -> None:
        said = f"{offset}".encode()
        self.delivery.emit(message(offset), Letter("clips", b"", said, []))
        self.delivery.finish(message(offset), [Letter("done", b"", said, [])])


def message(offset: int) -> Message:
    return Message("videos", 0, offset, b"")


def test_jobs_wait_for_those_before_them() -> None:
    place = Place()
    place.take(0, 1, 2)
    place.finish(1)
    place.delivery.flush(SECONDS)
    assert place.producer.committed == []
    place.finish(0)
    place.delivery.flush(SECONDS)
    assert sorted(place.producer.committed) == [b"0", b"0", b"1", b"1"]
    assert place.producer.position == 2
    assert place.offsets.held(PLACE) == 1


def test_what_a_changing_group_refuses_is_committed_after_it_if_the_partition_stays() -> None:
    place = Place(IllegalGenerationError(), IllegalGenerationError())
    place.take(0)
    place.finish(0)
    place.delivery.flush(SECONDS)
    assert (place.producer.committed, place.offsets.held(PLACE)) == ([], 1)
    place.delivery.flush(SECONDS)
    assert place.producer.committed == [b"0", b"0"]


def test_what_a_changing_group_refuses_is_dropped_if_the_partition_goes() -> None:
    place = Place(IllegalGenerationError(), IllegalGenerationError())
    place.take(0)
    place.finish(0)
    place.delivery.flush(SECONDS)
    place.offsets.keep(set())
    place.delivery.drop_lost(set())
    place.take(0)  # It comes back, and is run again.
    place.finish(0)
    place.delivery.flush(SECONDS)
    assert place.producer.committed == [b"0", b"0"]


def test_a_job_that_ended_is_not_committed_for_a_partition_that_went() -> None:
    place = Place()
    place.take(0)
    place.offsets.forget(PLACE)
    place.finish(0)
    place.take(0)  # It comes back, and is run again.
    assert not place.delivery.has_ended(message(0))
    place.delivery.flush(SECONDS)
    assert place.producer.committed == []
    place.finish(0)
    place.delivery.flush(SECONDS)
    assert place.producer.committed == [b"0", b"0"]


def test_nothing_is_committed_outside_the_group() -> None:
    place = Place()
    place.consumer.member = Member(generation_id=-1)
    place.take(0)
    place.finish(0)
    place.delivery.flush(SECONDS)
    assert place.producer.committed == []


def test_a_transaction_that_takes_longer_than_the_lease_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Place()
    with monkeypatch.context() as slow:
        slow.setattr(place.producer, "send", lambda *_: time.sleep(1.5 * LEASE_SECONDS))
        place.take(0)
        place.delivery.finish(message(0), [Letter("done", b"", b"done", [])])
        place.delivery.flush(SECONDS)
        assert place.offsets.held(PLACE) == 1
    place.delivery.flush(SECONDS)
    assert place.producer.committed == [b"done"]


def test_a_fenced_worker_ends() -> None:
    place = Place(ProducerFencedError())
    place.take(0)
    place.finish(0)
    with pytest.raises(WorkerBroken, match="ProducerFencedError"):
        place.delivery.flush(SECONDS)


def test_what_a_job_said_before_it_runs_again_is_dropped() -> None:
    place = Place()
    place.take(0)
    place.delivery.emit(message(0), Letter("clips", b"", b"half", []))
    place.delivery.discard(message(0))
    place.finish(0)
    place.delivery.flush(SECONDS)
    assert place.producer.committed == [b"0", b"0"]
