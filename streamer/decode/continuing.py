"""Goes on with another decoder where one broke off, without giving a frame twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from streamer.decode.interface import FrameBatch


def rest_of(batches: Iterable[FrameBatch], index: int, ticks: int) -> Iterator[FrameBatch]:
    """What comes at or after a time, numbered on from the frames before it.

    Args:
        batches: the whole video, by the decoder that goes on.
        index: presentation index of the next frame.
        ticks: where the last frame given ended. The next one starts there, even if the decoder
            that goes on has lost the frame that should.
    """
    for batch in batches:
        given = int(np.searchsorted(batch.times[:-1], ticks))
        if given == len(batch):
            continue
        rest = _numbered(batch, given, index)
        if rest.times[0] > ticks:
            rest = replace(rest, times=np.array([ticks, *rest.times[1:]], np.int64))
        yield rest
        index, ticks = rest.end_index, int(rest.times[-1])


def _numbered(batch: FrameBatch, given: int, index: int) -> FrameBatch:
    """``batch`` without its first frames, the next one being ``index``."""
    first = batch.first_index + given
    return FrameBatch(
        index,
        batch.times[given:],
        batch.time_base,
        batch.small[given:],
        tuple(
            replace(sample, index=sample.index - first + index)
            for sample in batch.samples
            if sample.index >= first
        ),
    )
