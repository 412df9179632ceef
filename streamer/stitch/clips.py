"""From probed shots to clips, in one streaming pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decode.interface import Sample
from streamer.shots import Shot
from streamer.spans import Span
from streamer.stitch import rules as rule
from streamer.stitch.neighbours import Neighbours
from streamer.stitch.probe import ProbedShot
from streamer.stitch.rules import Embedding, StitchRules
from streamer.stitch.thinning import Thinning


@dataclass(frozen=True)
class Clip:
    """One event: its span, its shots, and evenly spread frames to caption it by."""

    index: int
    span: Span
    shots: tuple[Span, ...]
    samples: tuple[Sample, ...]


def stitch(
    shots: Iterable[ProbedShot], rules: StitchRules, frames_per_clip: int, dropped: Counter[str]
) -> Iterator[Clip]:
    """Join neighbouring shots that belong together; yield each clip as soon as it is closed.

    What a rule leaves out is counted in ``dropped`` under the rule's name.
    """
    kept = _KeptEvents(rules, dropped)
    event, before = None, Neighbours(rules)
    for shot in shots:
        if rule.is_transition(shot.head, shot.tail, rules):
            dropped["shot_transition"] += 1
            continue
        if event is not None and not event.continues_with(shot, before):
            yield from kept.clips(event)
            before, event = event.neighbours, None
        if event is None:
            dropped += Counter(transition=int(shot.shot.lead.size > 0))
            event = _OpenEvent(shot, rules, frames_per_clip)
        event.add(shot)
    if event is not None:
        yield from kept.clips(event)


class _OpenEvent:
    """The shots stitched so far; beyond the longest clip only their embeddings are kept."""

    def __init__(self, first: ProbedShot, rules: StitchRules, frames_per_clip: int):
        self._rules = rules
        self._limit = first.shot.span.start + rules.max_seconds
        self.neighbours = Neighbours(rules)
        self._samples = Thinning(frames_per_clip)
        self._kept: list[Span] = []
        self._times: list[NDArray[np.int64]] = []
        self._time_base = first.shot.time_base
        self._mean = np.zeros_like(first.head)
        self._count = 0
        self._end: NDArray[np.int64] = first.shot.times[-1:]
        self.span = first.shot.span
        self._head = first.head
        self._farthest = 0.0

    @property
    def change(self) -> float:
        """How far it got from what it looked like at first."""
        last = rule.distance(self._head, self.neighbours.last.tail)
        return last if self._rules.neighbours == 1 else self._farthest

    @property
    def mean(self) -> Embedding:
        """Mean of all probes, float32 ``(D,)``."""
        return self._mean

    def continues_with(self, shot: ProbedShot, before: Neighbours) -> bool:
        """Whether ``shot`` comes next, shows the same event, and still fits.

        A shot that returns to what was seen ``before`` this event, as in a dialogue, shows that
        both are one scene.
        """
        fits = self._rules.at_longest == "truncate" or shot.shot.span.end <= self._limit
        lead = len(shot.shot.lead)
        follows = self.span.end_frame + lead == shot.shot.span.start_frame
        return fits and follows and (self._shows(shot) or before.recall(shot))

    def add(self, shot: ProbedShot) -> None:
        """Append a shot for which ``continues_with`` holds, and the transition before it."""
        self._count += 1
        self._mean = self._mean + ((shot.head + shot.tail) / 2 - self._mean) / self._count
        self._farthest = max(self._farthest, rule.distance(self._head, shot.tail))
        self.neighbours.add(shot)
        if shot.shot.span.start < self._limit:
            self._extend(shot.shot)
        self.span = self.span.until(shot.shot.span)

    def _shows(self, shot: ProbedShot) -> bool:
        if self._rules.keeps_takes and not shot.shot.after_cut:
            return True
        return self.neighbours.show(shot)

    def _extend(self, shot: Shot) -> None:
        if self._kept:
            self._times.append(shot.lead)
        goes_on = bool(self._kept) and not shot.after_cut
        before = self._kept.pop() if goes_on else shot.span
        self._kept.append(before.until(shot.span))
        self._times.append(shot.times[:-1])
        self._end = shot.times[-1:]
        self._samples.extend(shot.samples)

    def clip(self, index: int) -> Clip:
        """The event cut to the longest clip and trimmed."""
        times = np.concatenate([*self._times, self._end])
        longest = int(np.searchsorted(times, float(self._limit / self._time_base), side="right"))
        end = max(1, min(longest, len(times)) - 1)
        trim = int(self._rules.trim * end)
        span = self._span(times, trim, end - trim)
        shots = (_overlap(shot, span) for shot in self._kept)
        samples = self._samples.within(span.start_frame, span.end_frame)
        return Clip(index, span, tuple(shot for shot in shots if shot is not None), samples)

    def _span(self, times: NDArray[np.int64], first: int, end: int) -> Span:
        start_frame = self.span.start_frame
        start_time, end_time = (int(times[i]) * self._time_base for i in (first, end))
        return Span(start_time, end_time, start_frame + first, start_frame + end)


def _overlap(shot: Span, clip: Span) -> Span | None:
    start, start_frame = max((shot.start, shot.start_frame), (clip.start, clip.start_frame))
    end, end_frame = min((shot.end, shot.end_frame), (clip.end, clip.end_frame))
    return Span(start, end, start_frame, end_frame) if start < end else None


class _KeptEvents:
    """Which closed events become clips, numbered."""

    def __init__(self, rules: StitchRules, dropped: Counter[str]):
        self._rules = rules
        self._dropped = dropped
        self._means: list[Embedding] = []
        self._count = 0

    def clips(self, event: _OpenEvent) -> Iterator[Clip]:
        """The event's clip, unless a rule drops it."""
        reason = self._reason_to_drop(event)
        if reason is not None:
            self._dropped[reason] += 1
            return
        if self._rules.drop_repeats:
            self._means.append(event.mean)
        yield event.clip(self._count)
        self._count += 1

    def _reason_to_drop(self, event: _OpenEvent) -> str | None:
        if rule.is_too_short(event.span, self._rules):
            return "clip_too_short"
        if rule.is_still(event.span, event.change, self._rules):
            return "clip_still"
        if rule.is_repeat(event.mean, self._means, self._rules):
            return "clip_repeat"
        return None
