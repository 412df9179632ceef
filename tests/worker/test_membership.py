"""When a worker may speak for its partitions."""

from __future__ import annotations

import time

import pytest

from streamer.worker.membership import Membership

SESSION = 6.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which a test sets."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def answered() -> list[float]:
    """When heartbeats that were answered had been sent."""
    return []


@pytest.fixture
def membership(clock: list[float], answered: list[float]) -> Membership:
    assert clock
    member = Membership(SESSION, lambda moment: any(sent > moment for sent in answered))
    member.entered()
    return member


def test_it_is_sure_while_the_loop_turns(clock: list[float], membership: Membership) -> None:
    for _ in range(10):
        clock[0] += 3.9
        assert membership.sure


def test_it_is_not_after_a_standstill_until_a_heartbeat_has_told(
    clock: list[float], answered: list[float], membership: Membership
) -> None:
    clock[0] += 4.1
    membership.entered()  # An answer that has waited in the socket meanwhile.
    answered.append(clock[0] - 4.0)
    assert not membership.sure
    clock[0] += 3.5
    assert not membership.sure
    answered.append(clock[0])
    assert membership.sure
    clock[0] += 1.0
    assert membership.sure


def test_it_is_not_outside_the_group(membership: Membership) -> None:
    membership.left()
    assert not membership.sure
