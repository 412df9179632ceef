"""What is produced: records and jobs, ready for the broker."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from streamer.worker.attempt import Attempt
from streamer.worker.message import Message
from streamer_client.records import Record, VideoDone, VideoError
from streamer_client.topics import Headers, Topics, cloudevents_headers

SOURCE = "streamer-worker"


@dataclass(frozen=True)
class Letter:
    """One message to be produced; the key is the ``video_id``."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class LetterWriter:
    """Writes the letters of one worker.

    Args:
        topics: where they go.
    """

    def __init__(self, topics: Topics):
        self._topics = topics
        self._worker = f"{socket.gethostname()}/{os.getpid()}"

    def record(self, record: Record) -> Letter:
        """A record for consumers."""
        key = getattr(record, "video_id", "").encode()
        headers = cloudevents_headers(record.type, SOURCE)
        return Letter(self._topics.of(record), key, record.to_bytes(), headers)

    def end(self, message: Message, done: VideoDone, attempt: Attempt) -> list[Letter]:
        """The terminal record of a job and, unless it is done, its dead letter."""
        letters = [self.record(done)]
        if done.status != "done" and done.error is not None:
            headers = attempt.headers(done.error, self._worker)
            key = done.video_id.encode()
            letters.append(Letter(self._topics.dead, key, message.value, headers))
        return letters

    def retry(
        self, message: Message, done: VideoDone, error: VideoError, attempt: Attempt, start: int
    ) -> Letter:
        """The job once more, for ``start`` or later (Unix milliseconds)."""
        headers = attempt.headers(error, self._worker, not_before=start)
        return Letter(self._topics.retry, done.video_id.encode(), message.value, headers)
