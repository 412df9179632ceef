"""Jobs on ``videos.dead``: finding them, and putting them back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

POLL_MS = 500


@dataclass(frozen=True)
class DeadLetter:
    """A job that did not succeed, byte for byte, and why."""

    place: str  # topic/partition/offset on videos.dead
    time: datetime
    video_id: str
    value: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, record: Any) -> Self:
        """The letter in a consumer's record."""
        return cls(
            place=f"{record.topic}/{record.partition}/{record.offset}",
            time=datetime.fromtimestamp(record.timestamp / 1000, UTC),
            video_id=(record.key or b"").decode(errors="replace"),
            value=record.value or b"",
            headers={name: value.decode(errors="replace") for name, value in record.headers},
        )

    def said(self, name: str) -> str:
        """The header ``streamer-<name>``; empty if there is none."""
        return self.headers.get(f"streamer-{name}", "")


@dataclass(frozen=True)
class Filter:
    """Which dead letters are meant; what is ``None`` does not matter."""

    kind: str | None = None
    stage: str | None = None
    video_id: str | None = None
    since: datetime | None = None

    def matches(self, letter: DeadLetter) -> bool:
        """Whether the letter is meant."""
        return (
            self.kind in (None, letter.said("kind"))
            and self.stage in (None, letter.said("stage"))
            and self.video_id in (None, letter.video_id)
            and (self.since is None or letter.time >= self.since)
        )


def read_dead_letters(consumer: KafkaConsumer, topic: str) -> Iterator[DeadLetter]:
    """Every letter that stands on ``topic`` now, partition by partition in their order."""
    places = [TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(places)
    consumer.seek_to_beginning()
    ends: dict[TopicPartition, int] = consumer.end_offsets(places) if places else {}
    polled: dict[TopicPartition, list[Any]] = {}
    # The embedded broker names an end that is too low, so an empty poll has to confirm it.
    while polled or any(consumer.position(place) < end for place, end in ends.items()):
        polled = consumer.poll(POLL_MS)
        for records in polled.values():
            yield from map(DeadLetter.of, records)


def replay(producer: KafkaProducer, letter: DeadLetter, topic: str) -> None:
    """Produce the job's bytes to ``topic`` again, as a new job; returns when the broker has it.

    Raises:
        KafkaError: if it does not take it.
    """
    producer.send(topic, letter.value, letter.video_id.encode() or None).get(30)
