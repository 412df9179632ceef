"""The topics of an installation, read to their ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from pydantic import ValidationError

from streamer.audit.accounting import Clip, Job, Ledger
from streamer.config import KafkaSettings
from streamer.errors import Unavailable
from streamer.kafka_clients import make_group_consumer
from streamer.worker.message import Message, read_job
from streamer_client.records import ClipBoundary, ClipCaption, VideoDone
from streamer_client.topics import Topics

POLL_MS = 200
# Topics that do not come to rest in this time are too busy to be read to an end.
LONGEST_SECONDS = 600.0

Offsets = dict[TopicPartition, int]


def read_ledger(settings: KafkaSettings, quiet_seconds: float) -> Ledger:
    """Everything committed on the topics, and how far the group has come.

    The end is where polls have brought nothing for ``quiet_seconds``: the offset that a broker
    gives for it can be wrong (Tansu's is, after batches).

    Raises:
        Unavailable: if the broker does not answer, a topic is missing, or records do not cease.
    """
    consumer = make_group_consumer(settings)
    try:
        return _read(consumer, Topics(settings.topic_prefix), quiet_seconds)
    except KafkaError as error:
        raise Unavailable(
            f"the topics cannot be read from {settings.bootstrap}: {error}; check the broker",
            kind="kafka_unavailable",
        ) from error
    finally:
        consumer.close()


def _read(consumer: KafkaConsumer, topics: Topics, quiet_seconds: float) -> Ledger:
    places = _places(consumer, topics)
    consumer.assign(places)
    starts: Offsets = consumer.beginning_offsets(places)
    # Before any record is read: what is settled by then has all its records on the topics.
    settled = {place: consumer.committed(place) or starts[place] for place in places}
    reader = _Reader(topics, settled, begins_late=any(starts.values()))
    consumer.seek_to_beginning(*places)
    _poll_to_rest(consumer, reader.take, quiet_seconds)
    return reader.ledger


def _places(consumer: KafkaConsumer, topics: Topics) -> list[TopicPartition]:
    present = consumer.topics()
    missing = sorted(set(topics.all) - present)
    if missing:
        raise Unavailable(f"there is no topic {missing[0]!r}; check kafka.topic_prefix")
    return [
        TopicPartition(name, partition)
        for name in topics.all
        for partition in sorted(consumer.partitions_for_topic(name))
    ]


def _poll_to_rest(
    consumer: KafkaConsumer, take: Callable[[Any], None], quiet_seconds: float
) -> None:
    start = last = time.monotonic()
    while time.monotonic() - last < quiet_seconds:
        for records in consumer.poll(timeout_ms=POLL_MS).values():
            for record in records:
                take(record)
            last = time.monotonic()
        if last - start > LONGEST_SECONDS:
            raise Unavailable(
                f"records still arrive after {LONGEST_SECONDS:g} s; audit when the service rests"
            )


class _Reader:
    """Puts each record of a topic where it belongs in the ledger."""

    def __init__(self, topics: Topics, settled: Offsets, *, begins_late: bool):
        self.ledger = Ledger(begins_late=begins_late)
        self._settled = settled
        self._takers: dict[str, Callable[[Any], None]] = {
            topics.videos: self._job,
            topics.priority: self._job,
            topics.retry: self._retry,
            topics.boundaries: self._boundary,
            topics.captions: self._caption,
            topics.done: self._end,
            topics.dead: self._letter,
        }

    def take(self, record: Any) -> None:
        """Read one record."""
        try:
            self._takers[record.topic](record)
        except ValidationError:
            self.ledger.unreadable.append(f"{record.topic}/{record.partition}@{record.offset}")

    def _job(self, record: Any) -> None:
        job = read_job(_message(record))
        captions = isinstance(job, VideoDone) or job.options.captions
        self.ledger.jobs.append(Job(job.video_id, self._is_open(record), captions))

    def _retry(self, record: Any) -> None:
        if self._is_open(record):
            self.ledger.waiting.append(read_job(_message(record)).video_id)

    def _boundary(self, record: Any) -> None:
        clip = ClipBoundary.model_validate_json(record.value or b"")
        self.ledger.boundaries.append(Clip(clip.video_id, clip.clip_id))

    def _caption(self, record: Any) -> None:
        clip = ClipCaption.model_validate_json(record.value or b"")
        self.ledger.captions.append(Clip(clip.video_id, clip.clip_id))

    def _end(self, record: Any) -> None:
        self.ledger.ends.append(VideoDone.model_validate_json(record.value or b""))

    def _letter(self, record: Any) -> None:
        self.ledger.letters.append(read_job(_message(record)).video_id)

    def _is_open(self, record: Any) -> bool:
        settled = self._settled[TopicPartition(record.topic, record.partition)]
        return bool(record.offset >= settled)


def _message(record: Any) -> Message:
    return Message(record.topic, record.partition, record.offset, record.value or b"")
