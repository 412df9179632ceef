"""Clips whose spans the job names: nothing is split, only sampled."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from streamer.decode.interface import FrameBatch
from streamer.spans import Span
from streamer.stitch.clips import Clip
from streamer.stitch.thinning import Thinning


def cut_given_spans(
    batches: Iterable[FrameBatch],
    spans: Iterable[tuple[float, float]],
    frames_per_clip: int,
    dropped: Counter[str],
) -> Iterator[Clip]:
    """Yield a clip per span ``[start, end)``: the frames that begin in it.

    Args:
        batches: the decoded video.
        spans: seconds of stream time, in order, disjoint.
        frames_per_clip: how many samples a clip gets at most.
        dropped: counts spans without a sampled frame as ``span_outside_video``.
    """
    waiting = deque(_GivenSpan(start, end, frames_per_clip) for start, end in spans)
    clips = 0
    for batch in batches:
        for span in waiting:
            span.add(batch)
        while waiting and waiting[0].is_over(batch):
            yield from _closed(waiting.popleft(), clips, dropped)
            clips += 1
    for span in waiting:
        yield from _closed(span, clips, dropped)
        clips += 1


class _GivenSpan:
    def __init__(self, start: float, end: float, frames_per_clip: int):
        self._start, self._end = Fraction(start), Fraction(end)
        self.samples = Thinning(frames_per_clip)
        self.span: Span | None = None

    def is_over(self, batch: FrameBatch) -> bool:
        """Whether no later frame can begin in the span."""
        return int(batch.times[-1]) * batch.time_base >= self._end

    def add(self, batch: FrameBatch) -> None:
        edges = [float(edge / batch.time_base) for edge in (self._start, self._end)]
        first, end = (int(i) for i in np.searchsorted(batch.times[:-1], edges))
        if first < end:
            here = _frames(batch, first, end)
            self.span = here if self.span is None else self.span.until(here)
        self.samples.extend(s for s in batch.samples if self._start <= s.time < self._end)


def _frames(batch: FrameBatch, first: int, end: int) -> Span:
    start_time, end_time = (int(batch.times[i]) * batch.time_base for i in (first, end))
    return Span(start_time, end_time, batch.first_index + first, batch.first_index + end)


def _closed(given: _GivenSpan, index: int, dropped: Counter[str]) -> Iterator[Clip]:
    samples = given.samples.within(0, given.span.end_frame) if given.span else ()
    if given.span is None or not samples:
        dropped["span_outside_video"] += 1
    else:
        yield Clip(index, given.span, (given.span,), samples)
