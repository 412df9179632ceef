"""The worker's own process: polls Kafka, hands jobs to slots, produces, commits."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import CommitFailedError
from kafka.structs import OffsetAndMetadata

from streamer.config import Settings
from streamer.telemetry import Telemetry
from streamer.worker.message import Message, read_job
from streamer.worker.offsets import OffsetTracker
from streamer.worker.outbox import Outbox
from streamer.worker.slots import SlotPool
from streamer_client.records import VideoDone, VideoJob
from streamer_client.topics import Topics

POLL_MS = 20
# kafka-python joins the group inside `poll`. An answer of the broker that comes between two polls
# is dropped and asked for again, seconds later, so until then polls leave hardly a gap.
JOIN_POLL_MS = 1000
SLOT_WAIT_SECONDS = 0.02
# With every slot busy nothing can be taken: poll just to stay in the group, and leave the
# processors to the slots. What a slot says ends the wait at once.
BUSY_POLL_MS = 1
BUSY_WAIT_SECONDS = 0.1
FLUSH_SECONDS = 30.0

log = logging.getLogger(__name__)


class Supervisor:
    """Runs jobs from ``videos`` until told to stop; never decodes and never stops polling.

    Offsets are committed after every record of their job was acknowledged, per partition and
    without gaps, so a job is read again unless all it caused is on Kafka (at least once).
    """

    def __init__(
        self,
        settings: Settings,
        consumer: KafkaConsumer,
        producer: KafkaProducer,
        telemetry: Telemetry,
    ):
        self._settings = settings
        self._telemetry = telemetry
        self._consumer = consumer
        self._topics = Topics(settings.kafka.topic_prefix)
        self._outbox = Outbox(producer, self._topics)
        self._offsets: OffsetTracker[TopicPartition] = OffsetTracker()
        self._backlog: deque[tuple[Message, VideoJob]] = deque()
        self._slots: SlotPool[Message] = SlotPool(settings, telemetry.slot_replaced)
        self._joined = False

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then finish or hand back what runs within the grace period.

        Raises:
            WorkerBroken: if the broker refuses records or slots cannot start; offsets of what is
                unfinished stay uncommitted.
        """
        self._consumer.subscribe([self._topics.videos], listener=_Rebalances(self))
        try:
            while not stop.is_set():
                self._intake()
                self._step(SLOT_WAIT_SECONDS if self._slots.free else BUSY_WAIT_SECONDS)
            self._drain()
        finally:
            self._slots.close()
            self._consumer.close()

    def _intake(self) -> None:
        """Poll in every round, so that the group lives; take no more than slots can start."""
        wanted = self._slots.free - len(self._backlog)
        assigned = self._consumer.assignment()
        paused = self._consumer.paused()
        if wanted > 0 and paused:
            self._consumer.resume(*paused)
        elif wanted <= 0 and assigned - paused:
            self._consumer.pause(*(assigned - paused))
        timeout_ms = self._poll_ms(wanted)
        polled = self._consumer.poll(timeout_ms=timeout_ms, max_records=max(wanted, 1))
        for records in polled.values():
            for record in records:
                value = record.value or b""  # A tombstone has none.
                self._take(Message(record.topic, record.partition, record.offset, value))

    def _poll_ms(self, wanted: int) -> int:
        if not self._joined:
            return JOIN_POLL_MS
        return POLL_MS if wanted > 0 else BUSY_POLL_MS

    def _take(self, message: Message) -> None:
        self._offsets.take(message.place, message.offset)
        job = read_job(message)
        if isinstance(job, VideoDone):
            self._outbox.put(message, job)
            self._telemetry.produced(job)
        else:
            self._backlog.append((message, job))

    def _step(self, wait_seconds: float) -> None:
        """Start what can start, produce what was said, commit what is acknowledged."""
        while self._backlog and self._slots.free:
            message, job = self._backlog.popleft()
            log.info("job %s: %s", job.video_id, job.url)
            self._slots.start(job, message)
        for message, record in self._slots.records(wait_seconds):
            self._outbox.put(message, record)
            self._telemetry.produced(record)
            if isinstance(record, VideoDone):
                log.info("job %s: %s, %d clips", record.video_id, record.status, record.clips)
        self._commit()
        self._telemetry.turned(self._slots.running_since)

    def _commit(self) -> None:
        for message in self._outbox.settled():
            self._offsets.finish(message.place, message.offset)
        moved = self._offsets.advance()
        if not moved:
            return
        offsets = {place: OffsetAndMetadata(offset, "", -1) for place, offset in moved.items()}
        try:
            self._consumer.commit(offsets)
        except CommitFailedError:
            log.warning("partitions were taken away before %s was committed", moved)

    def _drain(self) -> None:
        """Let running jobs finish; what is not done in time is read again by another worker."""
        self._backlog.clear()
        deadline = time.monotonic() + self._settings.worker.grace_seconds
        while self._slots.busy and time.monotonic() < deadline:
            if self._consumer.assignment():
                self._consumer.pause(*self._consumer.assignment())
            self._consumer.poll(timeout_ms=POLL_MS)
            self._step(SLOT_WAIT_SECONDS)
        self._outbox.flush(FLUSH_SECONDS)
        self._commit()

    def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """Another worker reads these from the last commit on: drop what has not started."""
        self._joined = False
        self._telemetry.left()
        self._commit()
        lost = set(partitions)
        self._backlog = deque(item for item in self._backlog if item[0].place not in lost)
        for place in lost:
            self._offsets.forget(place)

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are this worker's now."""
        self._joined = True
        self._telemetry.joined(partitions)
        log.info("reading %s", sorted(f"{place.topic}/{place.partition}" for place in partitions))


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    """Passes on what the client learns inside ``poll``."""

    def __init__(self, supervisor: Supervisor):
        self._supervisor = supervisor

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called before others get the partitions."""
        self._supervisor.revoked(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called when the group has agreed, also on nothing."""
        self._supervisor.assigned(assigned)
