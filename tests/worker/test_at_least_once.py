"""Partitions that are lost before a commit: what ended here is not run again here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from kafka import TopicPartition
from kafka.errors import CommitFailedError
from kafka.future import Future

from streamer.worker.delivery import Offsets
from streamer.worker.delivery_at_least_once import AtLeastOnce
from streamer.worker.letters import Letter
from streamer.worker.message import Message

PLACE, OTHER = TopicPartition("videos", 0), TopicPartition("videos", 1)


@dataclass
class Consumer:
    """Takes commits, unless its group changes."""

    changing: bool = False
    position: int = 0

    def commit(self, offsets: dict[TopicPartition, Any]) -> None:
        if self.changing:
            raise CommitFailedError
        self.position = offsets[PLACE].offset

    async def commit_async(self, offsets: dict[TopicPartition, Any]) -> None:
        self.commit(offsets)


@dataclass
class Producer:
    """Acknowledges what it was given when told."""

    waiting: list[Future] = field(default_factory=list)

    def send(self, *_: object, **__: object) -> Future:
        self.waiting.append(Future())
        return self.waiting[-1]

    def acknowledge(self) -> None:
        for future in self.waiting:
            future.success(None)
        self.waiting.clear()


class Place:
    """A delivery that has ended the jobs at offsets 0 and 1 of a partition, uncommitted."""

    def __init__(self) -> None:
        self.offsets, self.producer, self.consumer = Offsets(), Producer(), Consumer()
        self.delivery = AtLeastOnce(self.producer, self.consumer, self.offsets)
        for offset in (0, 1):
            self.offsets.take(PLACE, offset)
            self.delivery.finish(message(offset), [Letter("done", b"", b"", [])])

    def take_again(self, offset: int) -> bool:
        self.offsets.take(PLACE, offset)
        return self.delivery.has_ended(message(offset))


def message(offset: int) -> Message:
    return Message("videos", 0, offset, b"")


def test_a_job_of_a_partition_that_comes_back_has_ended() -> None:
    place = Place()
    place.producer.acknowledge()
    place.consumer.changing = True
    place.delivery.commit()
    place.offsets.forget(PLACE)
    place.delivery.drop_lost({PLACE})
    place.consumer.changing = False
    place.delivery.commit()  # Nothing is held, and nothing committed.
    assert place.consumer.position == 0
    assert place.take_again(0)
    assert place.take_again(1)
    assert not place.take_again(2)
    place.delivery.commit()
    assert place.consumer.position == 2


def test_it_is_committed_only_once_all_it_said_is_acknowledged() -> None:
    place = Place()
    place.offsets.forget(PLACE)
    assert place.take_again(0)
    place.delivery.commit()
    assert place.consumer.position == 0
    place.producer.acknowledge()
    place.delivery.commit()
    assert place.consumer.position == 1


def test_a_job_of_a_partition_that_went_to_others_runs_again() -> None:
    place = Place()
    place.offsets.forget(PLACE)
    place.delivery.drop_lost({OTHER})
    assert not place.take_again(0)


def test_what_others_have_committed_meanwhile_is_forgotten() -> None:
    place = Place()
    place.offsets.forget(PLACE)
    assert place.take_again(1)  # Reading goes on after the job at 0.
    place.offsets.forget(PLACE)
    assert not place.take_again(0)


def test_what_is_finished_is_committed_before_others_get_it() -> None:
    place = Place()
    place.producer.acknowledge()
    place.consumer.changing = True
    asyncio.run(place.delivery.hand_over())
    assert place.offsets.held(PLACE) == 2
    place.consumer.changing = False
    asyncio.run(place.delivery.hand_over())
    assert (place.consumer.position, place.offsets.held(PLACE)) == (2, 0)


def test_a_job_that_runs_has_not_ended() -> None:
    place = Place()
    place.offsets.take(PLACE, 2)
    place.delivery.emit(message(2), Letter("clips", b"", b"", []))
    assert not place.delivery.has_ended(message(2))
