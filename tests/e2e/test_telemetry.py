"""A worker that runs, seen from its telemetry port; and Triton going away and coming back."""

from __future__ import annotations

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import TopicPartition

from streamer.config import Settings, TritonSettings
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.ports import free_ports
from streamer.embedded.services import local_worker
from streamer.embedded.triton import EmbeddedTriton
from streamer.kafka_clients import make_producer
from streamer.telemetry.watchers import LagWatch
from streamer.worker.triton_watch import TritonWatch
from streamer_client.records import VideoJob
from tests.e2e.installation import Installation, own_topics
from tests.e2e.processes import slots_of
from tests.embedded.conftest import wait_until
from tests.servers import triton_serving

pytestmark = pytest.mark.services


@dataclass(frozen=True)
class Observed:
    """A worker and its telemetry port."""

    installation: Installation
    port: int
    worker: int

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as got:
                return got.status, got.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except urllib.error.URLError:
            return 0, "it does not listen yet"

    def metrics(self) -> dict[str, float]:
        """Each sample by its name and labels."""
        lines = self.get("/metrics")[1].splitlines()
        samples = [line.rpartition(" ") for line in lines if line.startswith("streamer_")]
        return {name: float(value) for name, _, value in samples}


@pytest.fixture(scope="module")
def observed(
    local: Settings, broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Observed]:
    (port,) = free_ports(1)
    by_pyav = local.with_section("decode", decoder="pyav")
    settings = by_pyav.with_section("telemetry", port=port, host="127.0.0.1")
    installation = own_topics(settings, broker, "telemetry", tmp_path_factory.mktemp("temp"))
    with local_worker(installation.settings, tmp_path_factory.mktemp("worker")) as worker:
        yield Observed(installation, port, worker.pid)


def test_metrics_after_jobs(observed: Observed, short: Path) -> None:
    observed.installation.produce(VideoJob(url=str(short), video_id="good").to_bytes(), b"")
    observed.installation.wait_for_ends(2)
    wait_until(lambda: sum(ends(observed).values()) == 2)
    assert ends(observed) == {
        'streamer_jobs_total{kind="none",status="done"}': 1,
        'streamer_jobs_total{kind="bad_record",status="rejected"}': 1,
    }
    metrics = observed.metrics()
    assert metrics["streamer_clips_total"] == 3
    assert metrics['streamer_video_seconds_total{decoder="pyav"}'] == pytest.approx(9, abs=0.1)
    assert metrics["streamer_first_boundary_seconds_count"] == 1
    assert metrics['streamer_stage_seconds_count{stage="decode"}'] == 1
    assert metrics['streamer_dead_letters_total{kind="bad_record"}'] == 1
    assert metrics["streamer_slots"] == 1
    assert metrics["streamer_last_done_timestamp_seconds"] > 0
    assert observed.get("/healthz") == (200, "ok\n")


def ends(observed: Observed) -> dict[str, float]:
    return {
        name: value
        for name, value in observed.metrics().items()
        if name.startswith("streamer_jobs_total")
    }


def test_what_is_committed_does_not_lag(observed: Observed) -> None:
    def lags() -> list[float]:
        metrics = observed.metrics()
        return [
            value for name, value in metrics.items() if name.startswith("streamer_consumer_lag")
        ]

    wait_until(lambda: set(lags()) == {0})
    wait_until(lambda: observed.metrics()["streamer_jobs_in_flight"] == 0)


def test_what_comes_in_batches_lags(
    local: Settings, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    installation = own_topics(local, broker, "lag", tmp_path)
    videos, kafka = installation.topics.videos, installation.settings.kafka
    producer = make_producer(kafka)
    for number in range(300):
        producer.send(videos, str(number).encode(), partition=number % 3)
    producer.flush(60)
    producer.close()
    watch, places = LagWatch(kafka), [TopicPartition(videos, each) for each in range(3)]
    wait_until(lambda: set(watch.lags(places).values()) == {100})


def test_a_slot_that_is_replaced_is_counted(observed: Observed) -> None:
    wait_until(lambda: len(slots_of(observed.worker)) == 1)
    os.kill(slots_of(observed.worker)[0], signal.SIGKILL)
    name = 'streamer_slot_restarts_total{reason="slot_crashed"}'
    wait_until(lambda: observed.metrics().get(name) == 1)


def test_a_triton_that_hangs_makes_the_worker_unready(
    observed: Observed, triton: EmbeddedTriton
) -> None:
    wait_until(lambda: observed.get("/readyz") == (200, "ok\n"))
    assert observed.metrics()["streamer_triton_ready"] == 1
    with stopped(triton.pid):
        wait_until(lambda: observed.get("/readyz")[0] == 503)
        assert "Triton does not answer at" in observed.get("/readyz")[1]
        assert observed.metrics()["streamer_triton_ready"] == 0
        assert observed.get("/healthz") == (200, "ok\n")
    wait_until(lambda: observed.get("/readyz") == (200, "ok\n"))


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_triton_that_ends_and_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = free_ports(3)
    monkeypatch.setattr("streamer.embedded.triton.free_ports", lambda _: ports)
    (tmp_path / "models").mkdir()
    watch = TritonWatch(TritonSettings(url=f"127.0.0.1:{ports[0]}"))
    watch.start()
    try:
        wait_until(lambda: "UNAVAILABLE" in (watch.fault or ""))
        for _ in range(2):
            with triton_serving(tmp_path / "models", tmp_path / "logs"):
                wait_until(lambda: watch.ready)
            wait_until(lambda: "UNAVAILABLE" in (watch.fault or ""))
    finally:
        watch.close()
