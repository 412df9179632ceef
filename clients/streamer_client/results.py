"""Results from the output topics, as typed records."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError
from kafka.structs import OffsetAndMetadata
from pydantic import ValidationError

from streamer_client.errors import ClientError
from streamer_client.records import BadRecord, Record
from streamer_client.topics import Topics

Start = Literal["new", "beginning"] | Mapping[str, int]

log = logging.getLogger(__name__)


class ResultReader:
    """Reads the output topics: every partition, or in a group the partitions it is given.

    A record counts as read once it is handed out.

    Args:
        consumer: a kafka-python consumer; if it has a group, one that commits nothing by itself.
        topics: the installation's topics; they must exist.
        start: ``new`` records, those from the ``beginning``, or ``offsets`` of another reader,
            where partitions they do not name are read from the beginning. A group goes on from
            what it committed, and what it starts with the consumer's ``auto_offset_reset`` says.

    Raises:
        ClientError: if there are no such topics.
    """

    def __init__(self, consumer: KafkaConsumer, topics: Topics, *, start: Start = "new"):
        self._consumer = consumer
        self._records = topics.results
        self._pending: deque[tuple[TopicPartition, Any]] = deque()
        self._next: dict[TopicPartition, int] = {}
        self._in_group = consumer.config["group_id"] is not None
        if self._in_group:
            consumer.subscribe(list(self._records))
        else:
            self._assign(start)

    @property
    def offsets(self) -> dict[str, int]:
        """Where to go on after what was handed out, by ``topic/partition``; fit for JSON."""
        return {_name(place): offset for place, offset in self._next.items()}

    def poll(self, seconds: float) -> Iterator[Record]:
        """Records that arrive within ``seconds``; returns as soon as there are some.

        In a group, what was handed out before is committed first.

        Raises:
            BadRecord: for a record that cannot be read; the next call goes on after it.
        """
        if not self._pending:
            self.commit()
            polled = self._consumer.poll(timeout_ms=int(seconds * 1000))
            for place, messages in polled.items():
                self._pending.extend((place, message) for message in messages)
        while self._pending:
            place, message = self._pending.popleft()
            self._next[place] = message.offset + 1
            yield self._record(place, message)

    def ends(self) -> dict[TopicPartition, int]:
        """One past the last record of each partition that is read, now."""
        ends: dict[TopicPartition, int] = self._consumer.end_offsets(self._consumer.assignment())
        return ends

    def has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether everything before ``ends`` was handed out."""
        return not self._pending and all(
            self._consumer.position(place) >= end
            for place, end in ends.items()
            if place in self._consumer.assignment()
        )

    def commit(self) -> None:
        """In a group, note on the broker what was handed out; elsewhere nothing."""
        owned = self._consumer.assignment() if self._in_group else set()
        read = {place: offset for place, offset in self._next.items() if place in owned}
        if not read:
            return
        try:
            self._consumer.commit({p: OffsetAndMetadata(end, "", -1) for p, end in read.items()})
        except CommitFailedError:
            log.warning("partitions went to another member of the group, which reads them again")
        self._next.clear()

    def close(self) -> None:
        """Disconnect, and leave the group if there is one; commits nothing."""
        self._consumer.close()

    def _assign(self, start: Start) -> None:
        places = [
            TopicPartition(topic, partition)
            for topic in self._records
            for partition in sorted(self._consumer.partitions_for_topic(topic) or ())
        ]
        if not places:
            raise ClientError(
                f"there are no topics {', '.join(self._records)}; create them with `streamer "
                "topics create`, or check the topic prefix"
            )
        self._consumer.assign(places)
        if start == "new":
            self._consumer.seek_to_end(*places)
        else:
            self._consumer.seek_to_beginning(*places)
        for place in places:
            if isinstance(start, Mapping) and _name(place) in start:
                self._consumer.seek(place, start[_name(place)])
            # Settles the start now and not at the first poll.
            self._next[place] = self._consumer.position(place)

    def _record(self, place: TopicPartition, message: Any) -> Record:
        try:
            return self._records[place.topic].model_validate_json(message.value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "record"
            raise BadRecord(
                f"{_name(place)} at offset {message.offset}: {field}: {first['msg']}; a service "
                "newer than this client may have written it: update streamer-client"
            ) from error


def _name(place: TopicPartition) -> str:
    return f"{place.topic}/{place.partition}"
