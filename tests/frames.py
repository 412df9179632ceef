"""Decoded frames made by hand, for stages that never see a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from streamer.decode.interface import SMALL_HEIGHT, SMALL_WIDTH, FrameBatch, Pixels, Sample

TICKS = Fraction(1, 12800)


def flat_frames(count: int, colour: tuple[int, ...]) -> Pixels:
    """``count`` small frames of one colour."""
    return np.broadcast_to(np.array(colour, np.uint8), (count, SMALL_HEIGHT, SMALL_WIDTH, 3)).copy()


def batches_of(
    small: Pixels,
    *,
    rate: int = 25,
    every: int = 6,
    sizes: Sequence[int] = (32,),
    first_tick: int = 0,
) -> Iterator[FrameBatch]:
    """Small frames as a decoder would give them, a sample every few frames.

    Args:
        small: all frames.
        rate: frames per second.
        every: frames from one sample to the next.
        sizes: lengths of the batches, repeated as needed.
        first_tick: time of the first frame, in ticks.
    """
    start = turn = 0
    step = int(1 / (TICKS * rate))
    while start < len(small):
        end = min(start + sizes[turn % len(sizes)], len(small))
        times = first_tick + np.arange(start, end + 1, dtype=np.int64) * step
        samples = tuple(
            Sample(i, int(first_tick + i * step) * TICKS, small[i])
            for i in range(start, end)
            if i % every == 0
        )
        yield FrameBatch(start, times, TICKS, small[start:end], samples)
        start, turn = end, turn + 1
