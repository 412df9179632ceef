"""Cuts that may be motion: TransNetV2 settles those that would end a clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace

from streamer.in_flight import InFlight
from streamer.shots import CutRuns, Doubt, ScoreWindow
from streamer.shots.panning import shows_camera_motion
from streamer.stitch.neighbours import Neighbours
from streamer.stitch.probe import ProbedShot
from streamer.stitch.rules import StitchRules
from streamer_client.triton import ShotScores

_WINDOWS_IN_FLIGHT = 3
# Below the published 0.5: something has changed, the question is only what.
_THRESHOLD = 0.35


def settle_doubts(
    shots: Iterable[ProbedShot], rules: StitchRules, score_window: ScoreWindow
) -> Iterator[ProbedShot]:
    """Turn doubted cuts into cuts or into nothing; a take that goes on is one again.

    A cut between shots that look alike ends no clip whether it is one or not, and a change that
    camera motion explains is none: nothing is asked about them.

    Args:
        shots: in order.
        rules: which shots look alike.
        score_window: promises TransNetV2's scores of a window.
    """
    before = Neighbours(rules)
    asked: InFlight[ProbedShot, ShotScores | None] = InFlight(_WINDOWS_IN_FLIGHT)
    for shot in shots:
        asked.add(shot, _question(shot, before, score_window))
        if _ends_event(shot, before):
            before.clear()
        before.add(shot)
        yield from (_settled(*answer) for answer in asked.ready())
    yield from (_settled(*answer) for answer in asked.drain())


def _ends_event(shot: ProbedShot, before: Neighbours) -> bool:
    is_sure = shot.shot.after_cut and shot.shot.doubt is None
    return is_sure and not before.show(shot)


def _question(
    shot: ProbedShot, before: Neighbours, score_window: ScoreWindow
) -> Future[ShotScores | None]:
    doubt = shot.shot.doubt
    if doubt is not None and not (before.show(shot) or shows_camera_motion(doubt.around)):
        return score_window(doubt.window)  # type: ignore[return-value]
    nothing: Future[ShotScores | None] = Future()
    nothing.set_result(None)
    return nothing


def _settled(shot: ProbedShot, scores: ShotScores | None) -> ProbedShot:
    doubt = shot.shot.doubt
    if doubt is None or (scores is not None and _shows_cut(doubt, scores)):
        return shot
    return replace(shot, shot=replace(shot.shot, after_cut=False))


def _shows_cut(doubt: Doubt, scores: ShotScores) -> bool:
    middle = len(doubt.window) // 2
    runs = CutRuns(_THRESHOLD)
    around = scores.within(middle - doubt.reach, middle + doubt.reach)
    return bool([*runs.step(around), *runs.finish()])
