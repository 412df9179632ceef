"""Gathers frames into batches."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame

from streamer.decode.interface import FrameBatch, Sample
from streamer.decode.pictures import Pictures
from streamer.decode.timeline import SamplePoints

BATCH_FRAMES = 32


class BatchBuilder:
    """The batch being filled; holds at most 32 small frames and the samples among them."""

    def __init__(self, pictures: Pictures, points: SamplePoints, time_base: Fraction) -> None:
        self._pictures, self._points, self._time_base = pictures, points, time_base
        self._first_index = 0
        self._begin()

    def _begin(self) -> None:
        self._small: list[VideoFrame] = []
        self._starts: list[int] = []
        self._samples: list[Sample] = []

    @property
    def is_full(self) -> bool:
        """Whether the batch has to be taken before the next frame is added."""
        return len(self._starts) == BATCH_FRAMES

    @property
    def next_index(self) -> int:
        """Presentation index of the next frame."""
        return self._first_index + len(self._starts)

    def add(self, frame: VideoFrame, start: int) -> None:
        """Add the next frame, which starts at ``start`` ticks."""
        self._small.append(self._pictures.small(frame))
        if self._points.due(start):
            pixels = self._pictures.sample(frame)
            self._samples.append(Sample(self.next_index, start * self._time_base, pixels))
        self._starts.append(start)

    def take(self, end: int) -> FrameBatch:
        """The batch, whose last frame ends at ``end`` ticks; begins the next one."""
        batch = FrameBatch(
            self._first_index,
            np.array([*self._starts, end], np.int64),
            self._time_base,
            self._pictures.stacked(self._small),
            tuple(self._samples),
        )
        self._first_index = batch.end_index
        self._begin()
        return batch
