"""A message taken from a topic of jobs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Self

from kafka import TopicPartition

from streamer_client.records import (
    ID_NAMESPACE,
    BadRecord,
    VideoDone,
    VideoError,
    VideoJob,
)


@dataclass(frozen=True)
class Message:
    """Where it stood and what it said, byte for byte."""

    topic: str
    partition: int
    offset: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()

    @classmethod
    def of(cls, record: Any) -> Self:
        """The message in a consumer's record; a tombstone has no bytes."""
        value, headers = record.value or b"", tuple(record.headers)
        return cls(record.topic, record.partition, record.offset, value, headers)

    @property
    def place(self) -> TopicPartition:
        """The partition it was read from."""
        return TopicPartition(self.topic, self.partition)


def read_job(message: Message) -> VideoJob | VideoDone:
    """The job in a message, or the terminal record of one that cannot be read.

    Such a record has no URL; its ``video_id`` is a UUIDv5 of the message's bytes.
    """
    try:
        return VideoJob.from_bytes(message.value)
    except BadRecord as error:
        text = " ".join(str(error).split())
        failure = VideoError(
            stage="source",
            kind="bad_record",
            message=f"{text}; send a JSON object as docs/schemas/video.job.json describes",
        )
        video_id = str(uuid.uuid5(ID_NAMESPACE, message.value.hex()))
        return VideoDone(video_id=video_id, url="", status="rejected", error=failure)
