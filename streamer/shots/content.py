"""The content detector: a cut is a jump in the mean HSV difference of neighbouring frames.

Source: PySceneDetect's ContentDetector with its default weights and its merging flash filter
(https://www.scenedetect.com), with the parameters of Panda-70M (arXiv 2402.19479, section 3.1:
threshold 25, at least 15 frames).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.decode.interface import Pixels
from streamer.shots.evidence import Cut, Evidence


class ContentDetector:
    """Streams cuts out of small frames, on one core, without a model."""

    def __init__(self, threshold: float = 25.0, min_frames: int = 15):
        self._threshold = threshold
        self._merge = _CutMerger(min_frames)
        self._last_hsv: Pixels | None = None
        self._next_frame = 0

    def feed(self, small: Pixels) -> Evidence:
        """Take the next frames, uint8 RGB ``(N, H, W, 3)``."""
        cuts = []
        for score in self.scores(small):
            cut = self._merge.step(self._next_frame, score >= self._threshold)
            if cut is not None:
                cuts.append(Cut(cut, cut))
            self._next_frame += 1
        return Evidence(tuple(cuts), self._merge.decided)

    def finish(self) -> Evidence:
        """Cuts still being merged at the end of the video are not cuts."""
        return Evidence((), self._next_frame)

    def scores(self, small: Pixels) -> NDArray[np.float64]:
        """Mean absolute HSV difference of each frame to the one before it, shape ``(N,)``."""
        if len(small) == 0:
            return np.empty(0)
        hsv = _to_hsv(small)
        before = hsv[:1] if self._last_hsv is None else self._last_hsv
        self._last_hsv = hsv[-1:]
        differences = cv2.absdiff(hsv, np.concatenate([before, hsv[:-1]]))
        # Whole numbers until the division, so the mean is exact.
        scores: NDArray[np.float64] = differences.sum(axis=1, dtype=np.uint32) / hsv.shape[1]
        return scores


def _to_hsv(small: Pixels) -> Pixels:
    """HSV of ``(N, H, W, 3)``, each frame in one row."""
    frames, height, width, channels = small.shape
    stacked = np.ascontiguousarray(small).reshape(frames * height, width, channels)
    return cv2.cvtColor(stacked, cv2.COLOR_RGB2HSV).reshape(frames, -1)  # type: ignore[return-value]


class _CutMerger:
    """Keeps cuts at least ``min_frames`` apart, merging a burst of them into its last one."""

    def __init__(self, min_frames: int):
        self._min_frames = min_frames
        self._last_jump = 0
        self._burst_start: int | None = None
        self._cut_before = False
        self.decided = 0

    def step(self, frame: int, jump: bool) -> int | None:
        """The first frame of a new shot, if one became certain at ``frame``."""
        calm = frame - self._last_jump >= self._min_frames
        if jump:
            self._last_jump = frame
        cut = self._in_burst(calm, jump) if self._burst_start is not None else None
        if self._burst_start is None and cut is None and jump:
            cut = self._on_jump(frame, calm)
        self.decided = self._last_jump if self._burst_can_end else frame + 1
        return cut

    @property
    def _burst_can_end(self) -> bool:
        """Whether the burst is long enough that its last jump becomes a cut when it is over."""
        start = self._burst_start
        return start is not None and self._last_jump - start >= self._min_frames

    def _in_burst(self, calm: bool, jump: bool) -> int | None:
        if not (calm and not jump and self._burst_can_end):
            return None
        self._burst_start = None
        return self._last_jump

    def _on_jump(self, frame: int, calm: bool) -> int | None:
        if calm:
            self._cut_before = True
            return frame
        if self._cut_before:
            self._burst_start = frame
        return None
