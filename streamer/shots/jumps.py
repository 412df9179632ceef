"""Sudden changes: frames that differ from the one before far more than their neighbours do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.shots.bursts import Change
from streamer.shots.evidence import Cut
from streamer.shots.history import SIDE_SECONDS, History

# Joins of unrelated clips score 33 and more (99 of them); the floor leaves room for dark pictures.
_MIN_SCORE = 10.0
# Those joins stand out of their surroundings by 3.4 and more.
_MIN_RATIO = 2.5
# A cut is one frame that differs. Of 289 joins all stand out by 1.86 and more of the frames right
# beside them, of fast pans none by more than 1.05.
_SURE_RATIO, _BESIDE_SECONDS = 1.5, 0.12
# Next to black, hue and saturation jump where the picture hardly changes.
_MIN_LIGHTNESS_RATIO = 0.7
_REACH_SECONDS = 0.4
_PEAK_FRAMES = 2

Values = Callable[[int, int], NDArray[np.float64]]
"""Gives a value of each frame from a first one up to a last, exclusive."""


class Jumps:
    """Hard cuts in a stream of content scores, relative to the motion around them.

    Like PySceneDetect's AdaptiveDetector it compares a score with the mean of those around it.
    Too many are better than too few: stitching joins again what shows one event. A jump that is not
    alone may be a fast pan.

    Args:
        rate: frames per second.
    """

    def __init__(self, rate: float):
        self.reach = max(_PEAK_FRAMES, round(_REACH_SECONDS * rate))
        self._side = max(1, round(SIDE_SECONDS * rate))
        self._beside = max(_PEAK_FRAMES, round(_BESIDE_SECONDS * rate))
        self._next = 1

    def find(self, history: History, end: int) -> list[Change]:
        """Cuts before frames up to ``end``; the caller leaves ``reach`` frames behind it."""
        scores = history.scores(self._next, end)
        high = self._next + np.flatnonzero(scores >= _MIN_SCORE)
        self._next = max(end, self._next)
        changes = [
            self._change(history, at) for at in map(int, high) if self._stands_out(history, at)
        ]
        return [change for change in changes if change is not None]

    def _change(self, history: History, at: int) -> Change | None:
        lightness = self._beside_ratio(history.steps, at)
        if lightness < _MIN_LIGHTNESS_RATIO:
            return None
        cut = Cut(at, at)
        contrast = history.contrast(cut, self._side, 0, history.end)
        is_alone = min(lightness, self._beside_ratio(history.scores, at)) >= _SURE_RATIO
        return Change(cut, contrast, is_alone)

    def _beside_ratio(self, values: Values, at: int) -> float:
        before = float(values(max(at - self._beside, 1), at).max(initial=0.0))
        after = float(values(at + 1, at + self._beside + 1).max(initial=0.0))
        return float(values(at, at + 1)[0]) / max(before, after, 1e-6)

    def _stands_out(self, history: History, at: int) -> bool:
        score = history.scores(at, at + 1)[0]
        before = history.scores(max(at - self.reach, 1), at)
        after = history.scores(at + 1, at + self.reach + 1)
        is_peak = bool(
            np.all(before[-_PEAK_FRAMES:] < score) and np.all(after[:_PEAK_FRAMES] <= score)
        )
        around = np.concatenate([before[:-1], after[1:]])
        return is_peak and (around.size == 0 or score >= _MIN_RATIO * around.mean())
