"""What the service says of videos: clips as they close, captions, ends."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition

from streamer_client.brokers import MAX_MESSAGE_BYTES, connect
from streamer_client.errors import WaitTimeout
from streamer_client.records import ClipBoundary, ClipCaption, Record, VideoDone
from streamer_client.results import ResultReader, Start
from streamer_client.topics import Topics

Result = ClipBoundary | ClipCaption | VideoDone

POLL_SECONDS = 0.5
# How long the last records of videos that are done may be under way on other partitions.
STRAGGLER_SECONDS = 5.0
# A broker that does not wake a waiting fetch makes a record this late.
FETCH_WAIT_MS = 100


class Clips:
    """Iterates over `ClipBoundary`, `ClipCaption` `VideoDone` until ``video_ids`` are done.

    Without ``video_ids`` iteration goes on for ever. Records of one kind and video come in their
    order; a caption or an end may come before a boundary, since they are on topics of their own.

    Args:
        kafka: ``host:port[,host:port…]``, or a kafka-python consumer of your own, to which
            ``group``, ``read_committed`` and ``options`` do not apply.
        topic_prefix: what stands before every topic name of the installation.
        video_ids: of these videos only.
        kinds: of these types only, such as ``[ClipCaption]``.
        start: ``new`` records, those from the ``beginning``, or the ``offsets`` at which an
            earlier reader stopped. A group does that once, then goes on where it stopped.
        group: consumer group. Its members share the partitions, and what was handed out is
            committed when more is asked for, and at the end of a ``with`` block without an
            exception; so after a crash records may come twice, and none is lost.
        read_committed: leave out records of transactions that are open or were aborted.
        options: of kafka-python's consumer, such as ``security_protocol``.

    Raises:
        BrokerUnavailable: if no broker answers.
        ValueError: for offsets together with a group.
    """

    def __init__(
        self,
        kafka: str | KafkaConsumer = "localhost:9092",
        *,
        topic_prefix: str = "",
        video_ids: Collection[str] = (),
        kinds: Collection[type[Record]] = (ClipBoundary, ClipCaption, VideoDone),
        start: Start = "new",
        group: str | None = None,
        read_committed: bool = True,
        **options: Any,
    ):
        if isinstance(kafka, str):
            kafka = _connected(kafka, start, group, read_committed, options)
        self._reader = ResultReader(kafka, Topics(topic_prefix), start=start)
        self._video_ids, self._kinds = frozenset(video_ids), frozenset(kinds)
        self._waiting = set(video_ids)
        self._ends: dict[TopicPartition, int] | None = None
        self._patience = 0.0

    @property
    def offsets(self) -> dict[str, int]:
        """Where to go on after what was handed out: a ``start`` for later, fit for JSON."""
        return self._reader.offsets

    @property
    def complete(self) -> bool:
        """Whether all ``video_ids`` are done and everything that was said of them handed out."""
        if self._waiting or not self._video_ids:
            return False
        if self._ends is None:
            # What a worker produced before an end is on the broker, but maybe not fetched yet.
            self._ends, self._patience = self._reader.ends(), time.monotonic() + STRAGGLER_SECONDS
        return self._reader.has_reached(self._ends) or time.monotonic() > self._patience

    def poll(self, seconds: float) -> Iterator[Result]:
        """Records that arrive within ``seconds``; returns as soon as there are some.

        Raises:
            BadRecord: for a record that cannot be read; the next call goes on after it.
        """
        for record in self._reader.poll(seconds):
            assert isinstance(record, Result)  # noqa: S101 - what the output topics carry
            if isinstance(record, VideoDone):
                self._waiting.discard(record.video_id)
            if type(record) in self._kinds and self._is_wanted(record.video_id):
                yield record

    def commit(self) -> None:
        """In a group, note on the broker what was handed out so far."""
        self._reader.commit()

    def close(self) -> None:
        """Disconnect; commits nothing."""
        self._reader.close()

    def __iter__(self) -> Iterator[Result]:
        while not self.complete:
            yield from self.poll(POLL_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()
        self.close()

    def _is_wanted(self, video_id: str) -> bool:
        return not self._video_ids or video_id in self._video_ids


@dataclass(frozen=True)
class Outcome:
    """What became of a video.

    Attributes:
        done: its terminal record.
        clips: by index; a `ClipCaption` where the clip was captioned.
    """

    done: VideoDone
    clips: tuple[ClipBoundary, ...]


def wait(
    video_id: str,
    timeout_seconds: float,
    *,
    kafka: str | KafkaConsumer = "localhost:9092",
    topic_prefix: str = "",
    start: Start = "beginning",
    **options: Any,
) -> Outcome:
    """Wait until a video is done; returns its end and its clips.

    Args:
        video_id: as `Producer.submit` returned it.
        timeout_seconds: how long at most.
        kafka: as for `Clips`.
        topic_prefix: as for `Clips`.
        start: where to look; ``new`` passes over what an earlier job said of the same video.
        options: as for `Clips`.

    Raises:
        WaitTimeout: if it takes longer.
        BrokerUnavailable: if no broker answers.
    """
    deadline = time.monotonic() + timeout_seconds
    seen: list[Result] = []
    where = {"topic_prefix": topic_prefix, "start": start, **options}
    with Clips(kafka, video_ids=[video_id], **where) as clips:
        while not clips.complete:
            if time.monotonic() > deadline:
                raise WaitTimeout(
                    f"video {video_id} was not done within {timeout_seconds:g} s; wait longer, or "
                    "check that a worker runs and that the id is that of a job"
                )
            seen.extend(clips.poll(POLL_SECONDS))
    return _outcome(seen)


def _outcome(seen: list[Result]) -> Outcome:
    clips: dict[int, ClipBoundary] = {}
    done = [record for record in seen if isinstance(record, VideoDone)]
    for record in seen:
        if isinstance(record, ClipCaption):
            clips[record.index] = record
        elif isinstance(record, ClipBoundary):
            clips.setdefault(record.index, record)
    return Outcome(done[-1], tuple(clip for _, clip in sorted(clips.items())))


def _connected(
    bootstrap: str,
    start: Start,
    group: str | None,
    read_committed: bool,
    options: dict[str, Any],
) -> KafkaConsumer:
    if group is not None and not isinstance(start, str):
        raise ValueError("a group goes on from what it committed: give offsets or a group")
    chosen = {
        "group_id": group,
        "auto_offset_reset": "latest" if start == "new" else "earliest",
        "enable_auto_commit": False,
        "isolation_level": "read_committed" if read_committed else "read_uncommitted",
        "max_partition_fetch_bytes": MAX_MESSAGE_BYTES,
        "fetch_max_wait_ms": FETCH_WAIT_MS,
    }
    return connect(KafkaConsumer, bootstrap, {**chosen, **options})
