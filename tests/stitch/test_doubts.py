"""TransNetV2 is asked about a doubted cut only if it matters, and its answer decides."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from streamer.decode.interface import Pixels
from streamer.shots import Doubt
from streamer.stitch import ProbedShot, settle_doubts
from streamer_client.triton import ShotScores
from tests.pictures import Scene
from tests.stitch.test_default_preset import DEFAULT, piece

RESTING = np.concatenate([Scene(1).take(50, speed=0), Scene(2).take(50, speed=0)])
PANNED = np.stack([Scene(3).picture(30 + 2 * i) for i in range(100)])


def doubted(start: int, angle: float, window: Pixels = RESTING) -> ProbedShot:
    probed = piece(start, angle)
    return replace(probed, shot=replace(probed.shot, doubt=Doubt(window, 10)))


def scores(cut_at: int | None) -> ShotScores:
    values = np.zeros(100, np.float32)
    if cut_at is not None:
        values[cut_at] = 0.9
    return ShotScores(values, values)


class Asked:
    """Stands for TransNetV2: counts the questions, leaves the answers to the test."""

    def __init__(self, cut_at: int | None = None):
        self.answers: list[Future[ShotScores]] = []
        self._cut_at = cut_at

    def __call__(self, _: Pixels) -> Future[ShotScores]:
        answer: Future[ShotScores] = Future()
        self.answers.append(answer)
        answer.set_result(scores(self._cut_at))
        return answer


def cuts_after(shots: list[ProbedShot], asked: Asked) -> list[bool]:
    return [shot.shot.after_cut for shot in settle_doubts(shots, DEFAULT, asked)]


def test_nothing_is_asked_about_look_alikes() -> None:
    asked = Asked()
    assert cuts_after([piece(0, 0), doubted(25, 5)], asked) == [True, False]
    assert asked.answers == []


def test_nothing_is_asked_where_the_camera_moved() -> None:
    asked = Asked(cut_at=50)
    assert cuts_after([piece(0, 0), doubted(25, 90, PANNED)], asked) == [True, False]
    assert asked.answers == []


@pytest.mark.parametrize(("cut_at", "is_cut"), [(50, True), (41, True), (20, False), (None, False)])
def test_a_cut_within_reach_keeps_the_doubted_one(cut_at: int | None, is_cut: bool) -> None:
    asked = Asked(cut_at)
    assert cuts_after([piece(0, 0), doubted(25, 90)], asked) == [True, is_cut]
    assert len(asked.answers) == 1


def test_sure_cuts_are_kept() -> None:
    asked = Asked()
    assert cuts_after([piece(0, 0), piece(25, 90), piece(50, 0, cut=False)], asked) == [
        True, True, False,
    ]  # fmt: skip
    assert asked.answers == []


def test_late_answers_do_not_change_the_order() -> None:
    late: list[Future[ShotScores]] = []

    def ask(_: Pixels) -> Future[ShotScores]:
        late.append(Future())
        return late[-1]

    def shots() -> Iterator[ProbedShot]:
        yield piece(0, 0)
        yield doubted(25, 60)
        yield doubted(50, 120)
        for answer in reversed(late):
            answer.set_result(scores(50))
        yield piece(75, 180)

    frames = [shot.shot.span.start_frame for shot in settle_doubts(shots(), DEFAULT, ask)]
    assert frames == [0, 25, 50, 75]
    assert len(late) == 2


def test_a_doubt_soon_after_a_cut_is_not_compared_with_the_event_before() -> None:
    asked = Asked(cut_at=50)
    shots = [piece(0, 0), piece(25, 90), doubted(50, 0, np.roll(RESTING, 1, axis=2))]
    assert cuts_after(shots, asked) == [True, True, True]
    assert len(asked.answers) == 1
