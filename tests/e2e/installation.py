"""Topics of their own on a real broker, and everything that stands on them."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streamer.config import Settings
from streamer.embedded.broker import EmbeddedBroker
from streamer.kafka_clients import create_topics, make_consumer, make_group_consumer, make_producer
from streamer_client.records import ClipBoundary, ClipCaption, Record, VideoDone
from streamer_client.topics import Headers, Topics
from tests.embedded.conftest import wait_until


@dataclass(frozen=True)
class Entry:
    """One record of a topic, byte for byte."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes  # or None, for a tombstone
    headers: dict[str, bytes]
    timestamp: int  # when it was produced, in Unix milliseconds


class Installation:
    """The topics of ``settings``, created here; they are this installation's alone."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.topics = Topics(settings.kafka.topic_prefix)
        create_topics(settings.kafka)

    def produce(
        self,
        *values: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        partition: int | None = None,
        topic: str | None = None,
    ) -> None:
        """Put messages on ``videos`` as they are; returns when the broker has them."""
        producer = make_producer(self.settings.kafka)
        for value in values:
            to = topic or self.topics.videos
            producer.send(to, value, key, headers or [], partition).get(30)
        producer.close()

    def read(self, topic: str) -> list[Entry]:
        """Everything that stands on a topic now."""
        consumer = make_consumer(self.settings.kafka)
        ends = _assign(consumer, topic)
        entries: list[Entry] = []
        consumer.seek_to_beginning()
        wait_until(lambda: _polled_to(consumer, ends, entries))
        consumer.close()
        return entries

    def records(self, video_id: str) -> list[Record]:
        """What was said of a video: boundaries, captions, ends; each topic in its order."""
        return [
            record
            for topic, kind in self.topics.results.items()
            for record in (kind.model_validate_json(entry.value) for entry in self.read(topic))
            if getattr(record, "video_id", None) == video_id
        ]

    def done(self, video_id: str) -> VideoDone:
        """The terminal record of a video, waited for; there must be one alone."""
        wait_until(lambda: self._ended()[video_id] > 0)
        (done,) = [each for each in self.records(video_id) if isinstance(each, VideoDone)]
        return done

    def wait_for_ends(self, count: int) -> None:
        """Wait until ``count`` terminal records stand on ``videos.done``."""
        wait_until(lambda: self._ended().total() >= count)

    def wait_for_boundary(self, video_id: str) -> None:
        """Wait until a clip of a video has closed."""
        wait_until(
            lambda: any(
                entry.key == video_id.encode() for entry in self.read(self.topics.boundaries)
            )
        )

    def uncommitted(self) -> dict[int, int]:
        """Messages of each partition of ``videos`` that its group would read again."""
        consumer = make_group_consumer(self.settings.kafka)
        ends = _assign(consumer, self.topics.videos)
        lag = {
            place.partition: end - (consumer.committed(place) or 0) for place, end in ends.items()
        }
        consumer.close()
        return {partition: count for partition, count in lag.items() if count}

    def _ended(self) -> Counter[str]:
        done = (VideoDone.model_validate_json(entry.value) for entry in self.read(self.topics.done))
        return Counter(each.video_id for each in done)


def own_topics(local: Settings, broker: EmbeddedBroker, name: str, temp_dir: Path) -> Installation:
    """A new installation called after ``name``, on a broker that others use, too.

    A test that is run once more finds nothing of its first run there.
    """
    own = f"{name}.{secrets.token_hex(3)}"
    kafka = {
        "bootstrap": broker.bootstrap,
        "topic_prefix": f"{own}.",
        "group": own,
        "partitions": 3,
        # This broker lets a first member wait for half of it, and busy processors delay heartbeats.
        "session_timeout_seconds": 6.0,
    }
    settings = local.with_section("kafka", **kafka).with_section("acquire", temp_dir=temp_dir)
    return Installation(settings)


def boundaries(records: list[Record]) -> list[ClipBoundary]:
    """The clips that closed, without their captions."""
    return [
        each
        for each in records
        if isinstance(each, ClipBoundary) and not isinstance(each, ClipCaption)
    ]


def captions(records: list[Record]) -> list[ClipCaption]:
    """The clips that were captioned."""
    return [each for each in records if isinstance(each, ClipCaption)]


def _assign(consumer: KafkaConsumer, topic: str) -> dict[TopicPartition, int]:
    places = [TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic)]
    consumer.assign(places)
    ends: dict[TopicPartition, int] = consumer.end_offsets(places)
    return ends


def _polled_to(
    consumer: KafkaConsumer, ends: dict[TopicPartition, int], entries: list[Entry]
) -> bool:
    for place, messages in consumer.poll(100).items():
        entries.extend(_entry(place, message) for message in messages)
    return all(consumer.position(place) >= end for place, end in ends.items())


def _entry(place: TopicPartition, message: Any) -> Entry:
    return Entry(
        place.topic,
        place.partition,
        message.offset,
        message.key,
        message.value,
        dict(message.headers),
        message.timestamp,
    )
