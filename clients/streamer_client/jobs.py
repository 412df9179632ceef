"""Jobs onto the topic ``videos``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streamer_client.brokers import MAX_MESSAGE_BYTES, connect
from streamer_client.errors import BrokerUnavailable
from streamer_client.records import VideoJob
from streamer_client.topics import Topics, cloudevents_headers

# Jobs on their way: enough to fill the broker's batches, few enough to hold in memory.
MOST_UNACKNOWLEDGED = 1000
ACKNOWLEDGED_SECONDS = 60.0


def submit(producer: KafkaProducer, topics: Topics, job: VideoJob) -> Any:
    """Send a job, keyed by its ``video_id``; returns kafka-python's future of its receipt."""
    return producer.send(
        topics.videos,
        key=job.video_id.encode(),
        value=job.to_bytes(),
        headers=cloudevents_headers(VideoJob.type, "streamer-client"),
    )


class Producer:
    """Submits videos. Close it, or use it in a ``with`` block.

    Args:
        kafka: ``host:port[,host:port…]``, or a kafka-python producer of your own.
        topic_prefix: what stands before every topic name of the installation.
        options: of kafka-python's producer, such as ``security_protocol``.

    Raises:
        BrokerUnavailable: if no broker answers.
    """

    def __init__(
        self,
        kafka: str | KafkaProducer = "localhost:9092",
        *,
        topic_prefix: str = "",
        **options: Any,
    ):
        self._topics = Topics(topic_prefix)
        self._producer = _connected(kafka, options) if isinstance(kafka, str) else kafka

    def submit(self, url: str | VideoJob, **fields: Any) -> str:
        """Submit one video; returns its ``video_id`` when all replicas have the job.

        Args:
            url: its URL, or a job.
            fields: of `VideoJob`, with a URL: ``metadata``, ``spans``, ``options``, ``video_id``.

        Raises:
            BrokerUnavailable: if the broker does not take it in time.
        """
        (video_id,) = self.submit_many([_job(url, fields)])
        return video_id

    def submit_many(
        self,
        videos: Iterable[str | VideoJob],
        *,
        progress: Callable[[int], object] | None = None,
    ) -> list[str]:
        """Submit videos; returns their ids, in order, when all replicas have all jobs.

        Args:
            videos: URLs or jobs; taken as they are sent, so there may be millions.
            progress: told how many are there, after each.

        Raises:
            BrokerUnavailable: if the broker does not take one in time; those before it are there.
        """
        ids: list[str] = []
        for video_id in self._acknowledged(_job(each, {}) for each in videos):
            ids.append(video_id)
            if progress is not None:
                progress(len(ids))
        return ids

    def close(self) -> None:
        """Send what is waiting, and disconnect."""
        self._producer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _acknowledged(self, jobs: Iterable[VideoJob]) -> Iterator[str]:
        """The id of each job, as its receipt comes."""
        sent: deque[tuple[str, Any]] = deque()
        for job in jobs:
            sent.append((job.video_id, self._send(job)))
            if len(sent) >= MOST_UNACKNOWLEDGED:
                yield _received(*sent.popleft())
        while sent:
            yield _received(*sent.popleft())

    def _send(self, job: VideoJob) -> Any:
        try:
            return submit(self._producer, self._topics, job)
        except KafkaError as error:
            raise _not_taken(job.video_id, error) from error


def _connected(bootstrap: str, options: dict[str, Any]) -> KafkaProducer:
    safe = {"acks": "all", "enable_idempotence": True, "max_request_size": MAX_MESSAGE_BYTES}
    return connect(KafkaProducer, bootstrap, {**safe, "linger_ms": 5, **options})


def _job(url: str | VideoJob, fields: dict[str, Any]) -> VideoJob:
    if isinstance(url, str):
        return VideoJob(url=url, **fields)
    if fields:
        raise TypeError(f"a job has its fields already: {', '.join(fields)}")
    return url


def _received(video_id: str, receipt: Any) -> str:
    try:
        receipt.get(timeout=ACKNOWLEDGED_SECONDS)
    except KafkaError as error:
        raise _not_taken(video_id, error) from error
    return video_id


def _not_taken(video_id: str, error: KafkaError) -> BrokerUnavailable:
    return BrokerUnavailable(
        f"the broker did not take the job of video {video_id} ({type(error).__name__}: {error}); "
        "submit it again: equal ids make repeats harmless"
    )
