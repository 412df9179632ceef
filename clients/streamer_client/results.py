"""Results from the output topics, as typed records."""

from __future__ import annotations

from collections.abc import Iterator

from kafka import KafkaConsumer, TopicPartition

from streamer_client.records import Record
from streamer_client.topics import Topics


class ResultReader:
    """Reads every partition of the output topics, outside any group, so nobody is disturbed.

    Args:
        consumer: a kafka-python consumer without a group; the reader assigns it.
        topics: the installation's topics; they must exist.
        from_beginning: whether to start with the oldest records instead of new ones.
    """

    def __init__(self, consumer: KafkaConsumer, topics: Topics, *, from_beginning: bool):
        self._consumer = consumer
        self._records = topics.results
        places = [
            TopicPartition(topic, partition)
            for topic in self._records
            for partition in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(places)
        if from_beginning:
            consumer.seek_to_beginning(*places)
        else:
            consumer.seek_to_end(*places)
        for place in places:
            consumer.position(place)  # Settles the start now and not at the first poll.

    def poll(self, seconds: float) -> Iterator[Record]:
        """Records that arrive within ``seconds``; returns as soon as there are some."""
        polled = self._consumer.poll(timeout_ms=int(seconds * 1000))
        for place, messages in polled.items():
            for message in messages:
                yield self._records[place.topic].model_validate_json(message.value)
