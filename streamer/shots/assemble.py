"""From frames and cuts to shots, with the rule for long ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streamer.decode.interface import FrameBatch, Sample
from streamer.shots.evidence import Cut, CutDetector, Doubt, Evidence
from streamer.spans import Span

_NO_TIMES: NDArray[np.int64] = np.empty(0, np.int64)


@dataclass(frozen=True)
class LongShotRule:
    """While more than ``over`` seconds of a shot remain, its first ``piece`` seconds are cut off.

    Panda-70M (arXiv 2402.19479, section 3.1) cuts at 5 s; its released code leaves a rest of up
    to 7 s whole. Those are the defaults.
    """

    piece: Fraction = Fraction(5)
    over: Fraction = Fraction(7)


@dataclass(frozen=True)
class Shot:
    """A run of frames of one camera take, or a piece of it.

    Attributes:
        span: its time and frames.
        times: start of each frame and the end of the last, in seconds as ticks of ``time_base``,
            int64, shape ``(frames + 1,)``.
        time_base: seconds per tick.
        samples: its sampled frames; none where the shot is shorter than the sampling interval.
        lead: start of each frame of the transition before it, in ticks, int64 ``(N,)``.
        after_cut: whether a cut is before it, or nothing; else it goes on with the same take.
        doubt: of the cut before it, if that may be none.
    """

    span: Span
    times: NDArray[np.int64]
    time_base: Fraction
    samples: tuple[Sample, ...]
    lead: NDArray[np.int64] = field(default_factory=lambda: _NO_TIMES)
    after_cut: bool = True
    doubt: Doubt | None = None


def find_shots(
    batches: Iterable[FrameBatch], detector: CutDetector, long_shots: LongShotRule
) -> Iterator[Shot]:
    """Stream shots out of decoded frames; holds the frames of the open shot only."""
    open_shot = _OpenShot(long_shots)
    for batch in batches:
        open_shot.add(batch)
        yield from open_shot.settle(detector.feed(batch.small))
    yield from open_shot.settle(detector.finish())
    yield from open_shot.close()


class _OpenShot:
    """The frames that belong to no finished shot yet."""

    def __init__(self, long_shots: LongShotRule):
        self._long_shots = long_shots
        self._first = 0
        self._times = np.zeros(1, np.int64)
        self._time_base = Fraction(1)
        self._samples: list[Sample] = []
        self._lead, self._after_cut = _NO_TIMES, True
        self._doubt: Doubt | None = None

    def add(self, batch: FrameBatch) -> None:
        first_batch = len(self._times) == 1 and self._first == 0
        held = batch.times[:1] if first_batch else self._times
        self._time_base = batch.time_base
        self._times = np.concatenate([held[:-1], batch.times])
        self._samples.extend(batch.samples)

    def settle(self, evidence: Evidence) -> Iterator[Shot]:
        for cut in evidence.cuts:
            yield from self._pieces(cut.end)
            yield from self._take(cut.end)
            self._skip(cut)
        yield from self._pieces(evidence.decided)

    def close(self) -> Iterator[Shot]:
        """The last shot, which ends with the video."""
        yield from self._take(self._first + len(self._times) - 1)

    def _pieces(self, decided: int) -> Iterator[Shot]:
        """Cut pieces off while the decided part of the shot is longer than the rule allows."""
        while self._ticks_to(decided) * self._time_base > self._long_shots.over:
            target = self._times[0] + self._long_shots.piece / self._time_base
            cut = int(np.searchsorted(self._times, float(target)))
            yield from self._take(self._first + max(cut, 1))

    def _ticks_to(self, frame: int) -> int:
        last = min(max(frame - self._first, 0), len(self._times) - 1)
        return int(self._times[last] - self._times[0])

    def _take(self, end: int) -> Iterator[Shot]:
        count = end - self._first
        if count <= 0:
            return
        times = self._times[: count + 1]
        samples = tuple(sample for sample in self._samples if sample.index < end)
        span = self._span(times, end)
        before = self._lead, self._after_cut, self._doubt
        yield Shot(span, times, self._time_base, samples, *before)
        self._lead, self._after_cut, self._doubt = _NO_TIMES, False, None
        self._drop(end)

    def _skip(self, cut: Cut) -> None:
        """Leave a transition out, but keep its times for the shot that follows."""
        self._after_cut, self._doubt = True, cut.doubt
        if cut.start > self._first:
            self._lead = np.concatenate([self._lead, self._times[: cut.start - self._first]])
            self._drop(cut.start)

    def _drop(self, end: int) -> None:
        self._times = self._times[end - self._first :]
        self._samples = [sample for sample in self._samples if sample.index >= end]
        self._first = end

    def _span(self, times: NDArray[np.int64], end: int) -> Span:
        start_time, end_time = (int(ticks) * self._time_base for ticks in (times[0], times[-1]))
        return Span(start_time, end_time, self._first, end)
