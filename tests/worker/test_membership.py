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
def membership(clock: list[float]) -> Membership:
    assert clock
    member = Membership(SESSION)
    member.entered()
    return member


def test_it_is_sure_while_the_loop_turns(clock: list[float], membership: Membership) -> None:
    for _ in range(10):
        clock[0] += 3.9
        assert membership.sure


def test_it_is_not_after_a_standstill_until_the_group_has_told(
    clock: list[float], membership: Membership
) -> None:
    clock[0] += 4.1
    assert not membership.sure
    clock[0] += 3.0
    assert not membership.sure
    membership.entered()
    clock[0] += 1.0
    assert membership.sure


def test_a_session_later_a_heartbeat_has_told(clock: list[float], membership: Membership) -> None:
    clock[0] += 4.1
    assert not membership.sure
    clock[0] += 3.5
    membership.turned()
    clock[0] += 3.5
    assert membership.sure


def test_it_is_not_outside_the_group(membership: Membership) -> None:
    membership.left()
    assert not membership.sure
