"""What the supervisor tells, and who may read it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Self

from kafka import TopicPartition

from streamer.config import Settings
from streamer.errors import Unavailable
from streamer.telemetry.health import Health
from streamer.telemetry.metrics import Metrics
from streamer.telemetry.server import TelemetryServer
from streamer.telemetry.watchers import LagWatch, watch
from streamer_client.records import Record

LAG_SECONDS = 5.0

log = logging.getLogger(__name__)


class Telemetry:
    """Observes a supervisor. Entered, it serves what it knows if ``telemetry.port`` is set.

    Every method that the supervisor calls returns at once.

    Raises:
        UsageError: on entering, if the port cannot be bound.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._places: tuple[TopicPartition, ...] = ()
        self._services = ExitStack()
        self.metrics = Metrics()
        self.metrics.slots.set(settings.worker.slots)
        self.health = Health(settings.worker.job_timeout_seconds)

    def turned(
        self, running_since: Sequence[float], triton_fault: str | None, disk_fault: str | None
    ) -> None:
        """The loop has turned, with jobs running since these times (``time.monotonic``).

        Intake pauses for either fault.
        """
        self.health.turned(running_since)
        self.health.fault = triton_fault or disk_fault
        self.metrics.disk_low.set(disk_fault is not None)
        self.metrics.triton_ready.set(triton_fault is None)
        self.metrics.jobs_in_flight.set(len(running_since))

    def produced(self, record: Record) -> None:
        """A record was handed to the producer."""
        self.metrics.count(record)

    def retried(self, kind: str) -> None:
        """A job that failed in this way is tried again."""
        self.metrics.retries.labels(kind).inc()

    def slot_replaced(self, reason: str) -> None:
        """A slot ended and another took its place."""
        self.metrics.slot_restarts.labels(reason).inc()

    def joined(self, places: Iterable[TopicPartition]) -> None:
        """The group has given the worker these partitions, perhaps none."""
        self._places = tuple(places)
        self.health.joined = True

    def left(self) -> None:
        """The worker is out of its group until it joins again."""
        self._places = ()
        self.health.joined = False

    def __enter__(self) -> Self:
        telemetry = self._settings.telemetry
        if telemetry.port is not None:
            server = TelemetryServer(telemetry.host, telemetry.port, self.metrics, self.health)
            self._services.callback(server.close)
            self._watch()
            log.info("telemetry on http://%s:%d", telemetry.host, server.port)
        return self

    def __exit__(self, *_: object) -> None:
        self._services.close()

    def _watch(self) -> None:
        stop, lag = threading.Event(), LagWatch(self._settings.kafka)
        self._services.callback(stop.set)
        watch("lag", lambda: self._set_lags(lag), LAG_SECONDS, stop)

    def _set_lags(self, watch: LagWatch) -> None:
        try:
            self.metrics.set_lags(watch.lags(self._places))
        except Unavailable as error:
            log.warning("the lag is as it was: %s", error.message)
