"""The worker's own process: polls Kafka, hands jobs to slots, delivers what they say."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterable
from dataclasses import replace

from kafka import AsyncConsumerRebalanceListener, KafkaConsumer, TopicPartition

from streamer.config import Settings
from streamer.failures import MODEL_DIED
from streamer.telemetry import Telemetry
from streamer.url_policy import shown
from streamer.worker.attempt import Attempt
from streamer.worker.backlog import Backlog, Work
from streamer.worker.delivery import Delivery, Offsets
from streamer.worker.disk_watch import DiskWatch
from streamer.worker.intake import Intake
from streamer.worker.membership import Membership
from streamer.worker.message import Message, read_job
from streamer.worker.slot import SLOT_CRASHED, Running, Said
from streamer.worker.slots import SlotPool
from streamer.worker.triton_watch import TritonWatch
from streamer.worker.verdict import Verdicts
from streamer_client.records import VideoDone
from streamer_client.topics import Topics

SLOT_WAIT_SECONDS = 0.02
# With every slot busy nothing can start: what a slot says ends the wait at once.
BUSY_WAIT_SECONDS = 0.1
FLUSH_SECONDS = 30.0
# A slot may still fail to connect when Triton has been back for so long.
RECONNECT_SECONDS = 3.0
# Behind a long job this many others of its partition may finish and wait to be committed.
HELD_BACK = 500

log = logging.getLogger(__name__)


class Supervisor:
    """Runs jobs until told to stop; never decodes and never stops polling.

    ``telemetry`` is told what happens.
    """

    def __init__(
        self,
        settings: Settings,
        consumer: KafkaConsumer,
        offsets: Offsets,
        delivery: Delivery,
        membership: Membership,
        telemetry: Telemetry,
    ):
        topics, slots = Topics(settings.kafka.topic_prefix), settings.worker.slots
        self._grace_seconds = settings.worker.grace_seconds
        self._offsets = offsets
        self._delivery = delivery
        self._telemetry = telemetry
        self._backlog = Backlog(topics, ahead=slots)
        self._draining = self._closed = False
        self._membership = membership
        self._intake = Intake(consumer, topics, membership)
        self._verdicts = Verdicts(settings, topics, random.Random(), telemetry)  # noqa: S311
        self._triton = TritonWatch(settings.triton)
        self._disk = DiskWatch(settings.acquire)
        self._longest_wait = settings.retry.max_seconds
        self._slots: SlotPool[Work] = SlotPool(settings, telemetry.slot_replaced)

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then finish or hand back what runs within the grace period.

        Raises:
            WorkerBroken: if the broker refuses records, slots cannot start or most jobs fail for
                one reason; offsets of what is unfinished stay uncommitted.
        """
        self._intake.subscribe(_Rebalances(self))
        self._triton.start()
        try:
            while not stop.is_set():
                self._round()
            self._drain()
        finally:
            self._closed = True
            self._triton.close()
            self._slots.close()
            self._intake.close()

    def _round(self) -> None:
        self._membership.turned()
        self._telemetry.turned(self._slots.running_since, self._triton.fault, self._disk.fault)
        for message in self._intake.poll(self._wanted, patient=self._slots.free > 0):
            self._take(message)
        self._start()
        for said in self._slots.records(
            SLOT_WAIT_SECONDS if self._slots.free else BUSY_WAIT_SECONDS
        ):
            self._hear(said)
        self._start()  # Before the commit: a slot does not wait for the broker.
        if self._membership.sure:
            self._delivery.commit()

    def _wanted(self, place: TopicPartition) -> bool:
        if self._draining or not self._able:
            return False
        return self._backlog.wants(place.topic) and self._offsets.held(place) < HELD_BACK

    @property
    def _able(self) -> bool:
        """Whether a job that starts now has what it needs."""
        return self._triton.ready and self._disk.fault is None

    def _take(self, message: Message) -> None:
        if self._offsets.holds(message.place, message.offset):
            return
        self._offsets.take(message.place, message.offset)
        if message in [work.message for work in self._slots.tickets]:
            return  # It came back in a rebalance while its job is still running here.
        if self._delivery.has_ended(message):
            return
        attempt, job = Attempt.of(message, _now()), read_job(message)
        if isinstance(job, VideoDone):
            self._delivery.finish(message, self._verdicts.end(message, job, attempt))
        else:
            wait = attempt.wait_seconds(_now(), self._longest_wait)
            self._backlog.put(Work(message, job, attempt, time.monotonic() + wait))

    def _start(self) -> None:
        """Give jobs to free slots."""
        while self._slots.free and self._able and not self._draining:
            work = self._backlog.next(time.monotonic())
            if work is None:
                return
            url, attempt = shown(work.job.url), work.attempt.number
            log.info("job %s: %s, attempt %d", work.job.video_id, url, attempt)
            crashed = work.attempt.last_kind == SLOT_CRASHED
            self._slots.start(work.job, work, has_crashed=crashed)

    def _hear(self, said: Said[Work]) -> None:
        message = said.running.ticket.message
        if not isinstance(said.record, VideoDone):
            self._delivery.emit(message, self._verdicts.record(said.record))
        else:
            self._ended(said.running, said.record)

    def _ended(self, running: Running[Work], done: VideoDone) -> None:
        work = running.ticket
        if self._lacked_triton(running, done):
            log.warning("job %s waits for Triton", done.video_id)
            self._delivery.discard(work.message)
            if self._offsets.holds(work.message.place, work.message.offset):
                died = done.error is not None and done.error.kind == MODEL_DIED
                self._backlog.put_back(replace(work, spared=work.spared or died))
            return
        retry = self._verdicts.retry(work.message, done, work.attempt, _now())
        if retry is not None:
            self._delivery.discard(work.message)
            self._delivery.finish(work.message, [retry])
        else:
            letters = self._verdicts.end(work.message, done, work.attempt)
            self._delivery.finish(work.message, letters)

    def _lacked_triton(self, running: Running[Work], done: VideoDone) -> bool:
        """Whether the job failed because Triton was not there: that is no attempt of it."""
        if done.error is not None and done.error.kind == MODEL_DIED:
            self._triton.lacks(done.error.message)
            return not running.ticket.spared  # It may be the job that kills the model.
        if done.error is None or done.error.kind != "triton_unavailable":
            return False
        return self._triton.was_down_since(running.since - RECONNECT_SECONDS)

    def _drain(self) -> None:
        """Let running jobs finish; what is not done in time is read again by another worker."""
        self._draining = True
        deadline = time.monotonic() + self._grace_seconds
        while self._slots.busy and time.monotonic() < deadline:
            self._round()
        if self._membership.sure:
            self._delivery.flush(FLUSH_SECONDS)

    async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """Others may get some of these: commit what is finished while they are surely ours."""
        if self._closed:
            return
        if not self._membership.sure:
            self.lost(partitions)
            return
        self._left()
        await self._delivery.hand_over()

    def lost(self, partitions: Iterable[TopicPartition]) -> None:
        """Others may have these already: they read them from the last commit on."""
        self._left()
        for place in partitions:
            self._offsets.forget(place)
        self._drop_waiting()

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are this worker's now; the client goes on reading those it had."""
        self._membership.entered()
        ours = set(partitions)
        self._telemetry.joined(ours)
        log.info("reading %s", sorted(f"{place.topic}/{place.partition}" for place in ours))
        self._offsets.keep(ours)
        self._drop_waiting()
        self._delivery.drop_lost(ours)
        for work in self._slots.abandon(lambda work: work.message.place not in ours):
            log.warning("job %s: another worker runs it", work.job.video_id)
            self._delivery.discard(work.message)

    def _left(self) -> None:
        self._membership.left()
        self._telemetry.left()

    def _drop_waiting(self) -> None:
        """What waits here and has been lost is read again, here or elsewhere."""
        self._backlog.drop(lambda message: not self._offsets.holds(message.place, message.offset))


class _Rebalances(AsyncConsumerRebalanceListener):  # type: ignore[misc]
    """Passes on what the client learns inside ``poll``, on its thread, where nothing may block."""

    def __init__(self, supervisor: Supervisor):
        self._supervisor = supervisor

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called before others get the partitions."""
        await self._supervisor.revoked(revoked)

    async def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Called when others may have them already."""
        self._supervisor.lost(lost)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called when the group has agreed, also on nothing."""
        self._supervisor.assigned(assigned)


def _now() -> int:
    """Unix milliseconds."""
    return int(time.time() * 1000)
