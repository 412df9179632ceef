"""Retries: what the headers say, how long they wait, when they end; the circuit breaker."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config import RetrySettings
from streamer.errors import WorkerBroken
from streamer.worker.attempt import Attempt
from streamer.worker.breaker import Breaker
from streamer.worker.message import Message
from streamer.worker.retries import Retries
from streamer_client.records import VideoError

NOW = 1_700_000_000_000
DOWN = VideoError(stage="acquire", kind="timeout", message="no answer", fault="world")
CRASH = VideoError(stage="worker", kind="slot_crashed", message="it ended", fault="worker")
BAD = VideoError(stage="acquire", kind="gone", message="404")


def message(attempt: Attempt | None = None, error: VideoError = DOWN) -> Message:
    """A first message on ``videos``, or the one on ``videos.retry`` after ``attempt``."""
    if attempt is None:
        return Message("videos", 3, 17, b"job")
    return Message("videos.retry", 0, 4, b"job", tuple(attempt.headers(error, "w/1", NOW + 5)))


def test_headers_carry_the_history_of_a_job() -> None:
    first = Attempt.of(message(), NOW)
    second = Attempt.of(message(first), NOW + 60_000)
    assert (first.number, first.first_seen, first.not_before) == (1, NOW, 0)
    assert (second.number, second.first_seen, second.not_before) == (2, NOW, NOW + 5)
    assert first.origin == second.origin == ("videos", 3, 17)
    assert second.last_kind == "timeout"


@given(st.dictionaries(st.sampled_from(["streamer-attempt", "streamer-not-before"]), st.binary()))
def test_headers_of_strangers_are_survived(headers: dict[str, bytes]) -> None:
    attempt = Attempt.of(Message("videos", 0, 0, b"", tuple(headers.items())), NOW)
    assert attempt.number >= 1


@given(seed=st.integers(), number=st.integers(1, 4))
def test_waits_are_jittered_within_the_exponential_bound(seed: int, number: int) -> None:
    limits = RetrySettings(base_seconds=2, max_seconds=10, max_attempts=5)
    attempt = Attempt(number, NOW, 0, ("videos", 0, 0), "")
    start = Retries(limits, Random(seed)).not_before(attempt, DOWN, NOW)
    assert start is not None
    assert NOW <= start <= NOW + min(2 * 2 ** (number - 1), 10) * 1000


def test_a_clock_that_was_set_back_does_not_hold_a_job() -> None:
    waiting = Attempt(2, NOW, NOW + 5_000, ("videos", 0, 0), "timeout")
    assert waiting.wait_seconds(NOW, longest=60) == 5
    assert waiting.wait_seconds(NOW + 3_600_000, longest=60) == 0
    assert waiting.wait_seconds(NOW - 3_600_000, longest=60) == 60


def test_waits_differ() -> None:
    retries, attempt = Retries(RetrySettings(), Random(1)), Attempt.of(message(), NOW)
    assert len({retries.not_before(attempt, DOWN, NOW) for _ in range(20)}) > 10


def test_attempts_and_total_time_have_an_end() -> None:
    retries = Retries(RetrySettings(max_attempts=3, total_seconds=60, base_seconds=1), Random(0))
    numbers = [Attempt(n, NOW, 0, ("videos", 0, 0), "") for n in (1, 2, 3)]
    assert [retries.not_before(each, DOWN, NOW) is not None for each in numbers] == [1, 1, 0]
    assert retries.not_before(numbers[0], DOWN, NOW + 60_001) is None


def test_bad_jobs_and_those_that_kill_two_slots_are_not_tried_again() -> None:
    retries = Retries(RetrySettings(), Random(0))
    first = Attempt.of(message(), NOW)
    assert retries.not_before(first, BAD, NOW) is None
    assert retries.not_before(first, CRASH, NOW) is not None
    assert retries.not_before(Attempt.of(message(first, CRASH), NOW), CRASH, NOW) is None
    assert retries.not_before(Attempt.of(message(first, DOWN), NOW), CRASH, NOW) is not None


def test_the_breaker_opens_when_most_jobs_fail_for_one_reason() -> None:
    breaker = Breaker(4)
    for error in (DOWN, None, DOWN):
        breaker.note(error)
    with pytest.raises(WorkerBroken, match=r"3 of the last 4 jobs failed .* timeout") as caught:
        breaker.note(DOWN)
    assert caught.value.kind == "circuit_open"
    assert breaker.open


@pytest.mark.parametrize(
    "errors", [[BAD] * 12, [DOWN, CRASH] * 6, [DOWN, None] * 6, [DOWN] * 3], ids=str
)
def test_the_breaker_stays_closed(errors: list[VideoError | None]) -> None:
    breaker = Breaker(4)
    for error in errors:
        breaker.note(error)
    assert not breaker.open
