"""Gathers frames into batches."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame

from streamer.decode.interface import FrameBatch, Pixels, Sample
from streamer.decode.pictures import Pictures

BATCH_FRAMES = 32


class BatchBuilder:
    """The batch being filled; holds at most 32 small frames and the samples among them."""

    def __init__(self, pictures: Pictures, time_base: Fraction) -> None:
        self._pictures, self._time_base = pictures, time_base
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

    def add(self, start: int, small: VideoFrame, sample: Pixels | None) -> None:
        """Add the next frame, which starts at ``start`` ticks, as `Pictures` made it."""
        self._small.append(small)
        if sample is not None:
            self._samples.append(Sample(self.next_index, start * self._time_base, sample))
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
