"""The service on this machine, and what a client sees of one job."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.media import Reel
from streamer.config import Settings
from streamer.embedded.process import GuardedProcess
from streamer.embedded.services import local_broker, local_triton, local_worker
from streamer.kafka_clients import create_topics, make_consumer, make_producer
from streamer.models.cache import cached_repository
from streamer.pipeline import run_job
from streamer_client.jobs import submit
from streamer_client.records import ClipBoundary, Record, VideoDone, VideoJob
from streamer_client.results import ResultReader
from streamer_client.topics import Topics
from streamer_client.triton import TritonModels

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 600.0

_numbers = itertools.count()


@dataclass(frozen=True)
class Observed:
    """One job as its caller saw it.

    Attributes:
        wall_seconds: from its submission until its ``videos.done`` arrived.
        boundary_seconds: from its submission until its first boundary arrived.
        done: its terminal record.
    """

    wall_seconds: float
    boundary_seconds: float
    done: VideoDone


@contextmanager
def warm_services(settings: Settings, log_dir: Path) -> Iterator[Settings]:
    """A broker with the topics, and Triton with the offline models; yields the way to them."""
    with ExitStack() as services:
        broker = local_broker(settings, None, log_dir)
        triton = local_triton(services.enter_context(broker), cached_repository("offline"), log_dir)
        connected = services.enter_context(triton)
        create_topics(connected.kafka)
        yield connected


class Service:
    """A fresh worker of one slot, and a client of it."""

    def __init__(self, settings: Settings, worker: GuardedProcess):
        self._worker = worker
        self._topics = Topics(settings.kafka.topic_prefix)
        consumer = make_consumer(settings.kafka)
        self._reader = ResultReader(consumer, self._topics, start="new")
        self._producer = make_producer(settings.kafka)

    @property
    def worker_pid(self) -> int:
        """Process id of the worker, the parent of the slot."""
        return self._worker.pid

    def run(self, reel: Reel) -> Observed:
        """Submit a job and follow it to its end.

        Raises:
            RuntimeError: if the worker ends, the job is not done, or both take too long.
        """
        job, start = _job(reel), time.perf_counter()
        submit(self._producer, self._topics, job)
        self._producer.flush()
        return _observed(self._records(job), start)

    def _records(self, job: VideoJob) -> Iterator[Record]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._worker.poll() is None:
            for record in self._reader.poll(POLL_SECONDS):
                if getattr(record, "video_id", None) == job.video_id:
                    yield record
        raise RuntimeError(f"the job did not end; {self._worker.log}: {self._worker.last_line()}")


@contextmanager
def fresh_service(settings: Settings, log_dir: Path) -> Iterator[Service]:
    """A worker whose slot has processed nothing yet."""
    with local_worker(settings, log_dir) as worker:
        yield Service(settings, worker)


def run_directly(reel: Reel, models: TritonModels, settings: Settings) -> Observed:
    """The same pipeline on the same Triton, without Kafka, worker and slot."""
    job, start = _job(reel), time.perf_counter()
    return _observed(run_job(job, models, settings), start)


def _observed(records: Iterator[Record], start: float) -> Observed:
    boundary = float("inf")
    for record in records:
        elapsed = time.perf_counter() - start
        if isinstance(record, VideoDone):
            if record.status != "done":
                raise RuntimeError(f"the job {record.status}: {record.error}")
            return Observed(elapsed, boundary, record)
        if isinstance(record, ClipBoundary):
            boundary = min(boundary, elapsed)
    raise RuntimeError("the job has no end")


def _job(reel: Reel) -> VideoJob:
    return VideoJob(url=reel.url, video_id=f"bench-{next(_numbers)}")
