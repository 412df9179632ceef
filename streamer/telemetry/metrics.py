"""Every metric of a worker, by name. Seconds are wall time unless stated otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from kafka import TopicPartition
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from streamer_client.records import ClipBoundary, ClipCaption, Record, VideoDone

# From a picture's work to a film's.
STAGE_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
FIRST_BOUNDARY_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300)
NO_ERROR = NO_DECODER = "none"
FIRST_BOUNDARY = "first_boundary"


class Metrics:
    """The metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.jobs = Counter(
            "streamer_jobs_total",
            "Jobs ended, by status and by the kind of their error (none without one).",
            ["status", "kind"],
            registry=registry,
        )
        self.clips = Counter("streamer_clips_total", "Clips closed.", registry=registry)
        self.stage_seconds = Histogram(
            "streamer_stage_seconds",
            "Seconds of a job in each stage; the stage total is the whole job.",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self.first_boundary_seconds = Histogram(
            "streamer_first_boundary_seconds",
            "Seconds from the start of a job to its first closed clip.",
            buckets=FIRST_BOUNDARY_BUCKETS,
            registry=registry,
        )
        self.video_seconds = Counter(
            "streamer_video_seconds_total",
            "Seconds of video decoded, by what decoded (none if nothing did).",
            ["decoder"],
            registry=registry,
        )
        self.jobs_in_flight = Gauge(
            "streamer_jobs_in_flight", "Jobs running in slots.", registry=registry
        )
        self.slots = Gauge("streamer_slots", "Jobs that can run at once.", registry=registry)
        self.retries = Counter(
            "streamer_retries_total",
            "Jobs to be tried again, by the kind of their error.",
            ["kind"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "streamer_dead_letters_total",
            "Jobs put on videos.dead, by the kind of their error.",
            ["kind"],
            registry=registry,
        )
        self.consumer_lag = Gauge(
            "streamer_consumer_lag",
            "Messages of an assigned partition beyond the committed offset.",
            ["topic", "partition"],
            registry=registry,
        )
        self.slot_restarts = Counter(
            "streamer_slot_restarts_total",
            "Slots replaced, by the reason.",
            ["reason"],
            registry=registry,
        )
        self.disk_low = Gauge(
            "streamer_disk_low",
            "1 if the disk of acquire.temp_dir has too little left to start jobs.",
            registry=registry,
        )
        self.triton_ready = Gauge(
            "streamer_triton_ready", "1 if Triton says that it is ready.", registry=registry
        )
        self.last_done = Gauge(
            "streamer_last_done_timestamp_seconds",
            "Unix time of the last job that ended.",
            registry=registry,
        )

    def count(self, record: Record) -> None:
        """Count a record that was handed to the producer."""
        if isinstance(record, VideoDone):
            self._count_end(record)
        elif isinstance(record, ClipBoundary) and not isinstance(record, ClipCaption):
            self.clips.inc()

    def set_lags(self, lags: Mapping[TopicPartition, int]) -> None:
        """Replace the lag of every partition."""
        self.consumer_lag.clear()
        for place, lag in lags.items():
            self.consumer_lag.labels(place.topic, str(place.partition)).set(lag)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _count_end(self, done: VideoDone) -> None:
        kind = done.error.kind if done.error else NO_ERROR
        if done.status != "done":
            self.dead_letters.labels(kind).inc()
        self.video_seconds.labels(done.decoder or NO_DECODER).inc(done.duration)
        self.last_done.set_to_current_time()
        for stage, seconds in done.timings.items():
            if stage == FIRST_BOUNDARY:
                self.first_boundary_seconds.observe(seconds)
            else:
                self.stage_seconds.labels(stage).observe(seconds)
        # Last, so that who sees the job counted sees all of it.
        self.jobs.labels(done.status, kind).inc()
