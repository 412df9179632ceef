"""Alive means that the loop turns and slots end; ready means that jobs would be taken."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from streamer.errors import UsageError
from streamer.telemetry.health import Health
from streamer.telemetry.metrics import Metrics
from streamer.telemetry.server import TelemetryServer


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(job_timeout_seconds=600, clock=clock)


@pytest.fixture
def server(health: Health) -> Iterator[TelemetryServer]:
    server = TelemetryServer("127.0.0.1", 0, Metrics(), health)
    yield server
    server.close()


def test_a_loop_that_turns_is_alive(health: Health, clock: Clock) -> None:
    for _ in range(10):
        clock.now += 29
        health.turned([])
        assert health.stuck() is None


def test_a_loop_that_is_stuck_is_not(health: Health, clock: Clock) -> None:
    clock.now += 31
    assert health.stuck() == "the supervisor's loop has not turned for 31 s"
    health.turned([])
    assert health.stuck() is None


def test_a_slot_past_its_limit_is_not(health: Health, clock: Clock) -> None:
    started = clock.now
    clock.now += 629
    health.turned([clock.now, started])
    assert health.stuck() is None
    clock.now += 2
    health.turned([clock.now, started])
    assert health.stuck() == "a slot has run its job for 631 s and was not ended after 600 s"
    health.turned([clock.now])
    assert health.stuck() is None


def test_readiness_says_what_is_missing(health: Health) -> None:
    assert health.unready() == "the worker has not joined its consumer group"
    health.joined = True
    assert health.unready() == "Triton has not been asked yet"
    health.fault = None
    assert health.unready() is None


def test_probes(server: TelemetryServer, health: Health, clock: Clock) -> None:
    assert get(server, "/healthz") == (200, "ok\n")
    assert get(server, "/readyz") == (503, "the worker has not joined its consumer group\n")
    health.joined, health.fault = True, None
    assert get(server, "/readyz?verbose") == (200, "ok\n")
    clock.now += 40
    assert get(server, "/healthz") == (503, "the supervisor's loop has not turned for 40 s\n")
    status, text = get(server, "/metrics")
    assert (status, "streamer_slots 0.0\n" in text) == (200, True)
    assert get(server, "/elsewhere")[0] == 404


def test_a_port_that_is_taken(server: TelemetryServer, health: Health) -> None:
    with pytest.raises(UsageError, match=r"telemetry cannot listen on 127.0.0.1:.*telemetry\.port"):
        TelemetryServer("127.0.0.1", server.port, Metrics(), health)


def get(server: TelemetryServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
