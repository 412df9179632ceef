"""The last seconds of a video, as much as the detectors look back on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.colours import colour_distance, colours_of
from streamer.decode.interface import SMALL_HEIGHT, SMALL_WIDTH, Pixels
from streamer.shots.content import ContentDetector
from streamer.shots.evidence import Cut

# Of 48x27, so that a block is the mean of 3x3 pixels: little noise, and edges still where they are.
BLOCK_ROWS, BLOCK_COLUMNS = SMALL_HEIGHT // 3, SMALL_WIDTH // 3
BLOCK_VALUES = BLOCK_ROWS * BLOCK_COLUMNS * 3

# What is compared before and after a change.
SIDE_SECONDS = 0.25

Blocks = NDArray[np.int16]


class History:
    """Small frames from ``first`` on, and what was measured of them. Indexes are of the video.

    Attributes:
        first: index of the oldest frame held.
        end: one past the newest.
    """

    def __init__(self) -> None:
        self._content = ContentDetector()
        self._small: Pixels = np.empty((0, SMALL_HEIGHT, SMALL_WIDTH, 3), np.uint8)
        self._blocks: Blocks = np.empty((0, BLOCK_VALUES), np.int16)
        self._scores: NDArray[np.float64] = np.empty(0)
        self._steps: NDArray[np.float64] = np.empty(0)
        self._last: Blocks | None = None
        self.first = 0

    @property
    def end(self) -> int:
        """One past the newest frame."""
        return self.first + len(self._small)

    def add(self, small: Pixels) -> None:
        """Append frames, uint8 RGB ``(N, 27, 48, 3)``."""
        self._small = np.concatenate([self._small, small])
        blocks = _blocks_of(small)
        self._blocks = np.concatenate([self._blocks, blocks])
        self._steps = np.concatenate([self._steps, self._steps_of(blocks)])
        self._scores = np.concatenate([self._scores, self._content.scores(small)])

    def forget(self, before: int) -> None:
        """Let go of frames before ``before``."""
        count = min(max(before - self.first, 0), len(self._small))
        self._small = self._small[count:]
        self._blocks = self._blocks[count:]
        self._scores = self._scores[count:]
        self._steps = self._steps[count:]
        self.first += count

    def scores(self, start: int, end: int) -> NDArray[np.float64]:
        """Content scores of ``[start, end)``, as far as held, shape ``(N,)``."""
        return self._scores[self._held(start, end)]

    def steps(self, start: int, end: int) -> NDArray[np.float64]:
        """How much the blocks of each frame differ from the frame before, of 255, ``(N,)``."""
        return self._steps[self._held(start, end)]

    def blocks(self, start: int, end: int) -> Blocks:
        """Mean colours of 9x16 blocks of ``[start, end)``, as far as held, int16 ``(N, 432)``."""
        return self._blocks[self._held(start, end)]

    def every(self, step: int, start: int, count: int) -> Pixels:
        """``count`` small frames, each ``step`` after the last, from ``start`` on.

        Outside the video its first or last frame is repeated.
        """
        wanted = np.arange(start, start + count * step, step)
        frames: Pixels = self._small[np.clip(wanted, self.first, self.end - 1) - self.first]
        return frames

    def contrast(self, cut: Cut, side: int, first: int, end: int) -> float:
        """How much the colours of ``side`` frames before and after a cut differ, 0 to 1.

        Args:
            cut: the cut.
            side: how many frames are looked at on each side, at most.
            first: no frame before it is looked at.
            end: nor any from here on.
        """
        before = self._small[self._held(max(cut.end - side, first), max(cut.end, first + 1))]
        after = self._small[self._held(min(cut.start, end - 1), min(cut.start + side, end))]
        return colour_distance(colours_of(before), colours_of(after))

    def _steps_of(self, blocks: Blocks) -> NDArray[np.float64]:
        if len(blocks) == 0:
            return np.empty(0)
        before = blocks[:1] if self._last is None else self._last
        self._last = blocks[-1:]
        return np.asarray(np.abs(np.diff(blocks, axis=0, prepend=before)).mean(axis=1))

    def _held(self, start: int, end: int) -> slice:
        return slice(max(start - self.first, 0), max(end - self.first, 0))


def _blocks_of(small: Pixels) -> Blocks:
    if len(small) == 0:
        return np.empty((0, BLOCK_VALUES), np.int16)
    column = np.ascontiguousarray(small).reshape(-1, SMALL_WIDTH, 3)
    size = (BLOCK_COLUMNS, len(small) * BLOCK_ROWS)
    shrunk = cv2.resize(column, size, interpolation=cv2.INTER_AREA)
    return shrunk.reshape(len(small), BLOCK_VALUES).astype(np.int16)
