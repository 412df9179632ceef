"""Records on their way to the broker, and which jobs have all of theirs acknowledged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streamer.errors import WorkerBroken
from streamer.worker.message import Message
from streamer_client.records import Record, VideoDone
from streamer_client.topics import Headers, Topics, cloudevents_headers

SOURCE = "streamer-worker"


@dataclass
class _Sent:
    """What was produced for one job."""

    acknowledgements: list[Any] = field(default_factory=list)
    complete: bool = False


class Outbox:
    """Produces records and dead letters; a failure to do so is the worker's end."""

    def __init__(self, producer: KafkaProducer, topics: Topics):
        self._producer = producer
        self._topics = topics
        self._jobs: OrderedDict[Message, _Sent] = OrderedDict()

    def put(self, message: Message, record: Record) -> None:
        """Produce a record of the job in ``message``, its last if it is a ``VideoDone``.

        Raises:
            WorkerBroken: if the broker does not take it.
        """
        sent = self._jobs.setdefault(message, _Sent())
        key = getattr(record, "video_id", "").encode()
        headers = cloudevents_headers(record.type, SOURCE)
        self._send(sent, self._topics.of(record), key, record.to_bytes(), headers)
        if isinstance(record, VideoDone):
            if record.status != "done":
                dead = _dead_letter_headers(message, record)
                self._send(sent, self._topics.dead, key, message.value, dead)
            sent.complete = True

    def settled(self) -> Iterator[Message]:
        """Jobs whose every record was acknowledged since the last call.

        Raises:
            WorkerBroken: if the broker refused one.
        """
        for message in [m for m, sent in self._jobs.items() if sent.complete]:
            if all(_acknowledged(future) for future in self._jobs[message].acknowledgements):
                del self._jobs[message]
                yield message

    def flush(self, seconds: float) -> None:
        """Wait for what is on its way.

        Raises:
            WorkerBroken: if it does not arrive in time.
        """
        try:
            self._producer.flush(timeout=seconds)
        except KafkaError as error:
            raise _broken(error) from error

    def _send(self, sent: _Sent, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        try:
            future = self._producer.send(topic, value=value, key=key, headers=headers)
        except KafkaError as error:
            raise _broken(error) from error
        sent.acknowledgements.append(future)


def _acknowledged(future: Any) -> bool:
    if future.is_done and not future.succeeded():
        raise _broken(future.exception)
    return bool(future.is_done)


def _broken(error: object) -> WorkerBroken:
    return WorkerBroken(
        f"the broker does not take records ({type(error).__name__}: {error}); the worker stops "
        "and its jobs will be read again",
        kind="kafka_unavailable",
    )


def _dead_letter_headers(message: Message, done: VideoDone) -> Headers:
    fields = {
        "original-topic": message.topic,
        "original-partition": message.partition,
        "original-offset": message.offset,
    }
    if done.error is not None:
        error = done.error
        fields |= {
            "error-stage": error.stage,
            "error-kind": error.kind,
            "error-message": error.message,
            "attempts": error.attempts,
        }
    return [(name, str(value).encode()) for name, value in fields.items()]
