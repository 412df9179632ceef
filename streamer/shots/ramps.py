"""Gradual changes: cross-fades, wipes and dips, told from motion by how they come about.

Where a picture differs much from the one most of a second later, and no single frame did it,
there is a transition or there is motion. In a dissolve the pictures between are mixtures of both
ends, as in the linear model of dissolve detectors (Yu, Bozdagi and Harrington, ICIP 1997); in a
dip one picture between is of a single colour; for wipes see `streamer.shots.wipes`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from streamer.shots.bursts import Change
from streamer.shots.evidence import Cut
from streamer.shots.history import SIDE_SECONDS, Blocks, History
from streamer.shots.wipes import find_wipe

_LAG_SECONDS = 0.9
_PEAK_SECONDS = 0.3
# A transition of a second and its surroundings; one that is found late may begin before that.
_VIEW_SECONDS, _BACK_SECONDS = 0.65, 0.25
# Mean difference of two pictures, of 255: joins of unrelated clips make 31 and more.
_MIN_CHANGE = 28.0
# A single frame that makes more of the change than this is a jump.
_MAX_STEP = 0.5
# Over a moving picture a wipe has sudden steps, too; what is faster may be a pan.
_SLOW_WIPE_SECONDS = 0.4
_MIXED, _SHARE = 0.2, 0.15
_PLAIN, _BLACK = 0.3, 0.1

# Fewer make no transition.
_FEWEST_PICTURES = 5

Floats = NDArray[np.float32]
Indexes = NDArray[np.intp]


class Ramps:
    """Gradual changes in a stream of frames.

    Args:
        rate: frames per second.
    """

    def __init__(self, rate: float):
        self._rate = rate
        self._side = max(1, round(SIDE_SECONDS * rate))
        self._half = max(1, round(_LAG_SECONDS / 2 * rate))
        self._peak = max(1, round(_PEAK_SECONDS * rate))
        self.view = max(2, round(_VIEW_SECONDS * rate))
        # No change around a frame begins earlier than this before it.
        self.back = self.view + round(_BACK_SECONDS * rate)
        self.reach = max(self._half + self._peak, self.view)
        self._jumps: list[int] = []
        self._changes: NDArray[np.float64] = np.empty(0)
        self._first = self._half
        self._next = self._half

    def find(self, history: History, jumps: Iterable[int], known: int, end: int) -> list[Change]:
        """Changes around frames up to ``end``; the caller leaves ``reach`` frames behind it.

        Args:
            history: the last frames.
            jumps: new frames before which a cut was found; no change reaches over one.
            known: jumps before this frame are known.
            end: where to stop.
        """
        self._jumps.extend(jumps)
        self._measure(history, known)
        begin, self._next = self._next, max(end, self._next)
        high = begin + np.flatnonzero(self._changes_of(begin, end) >= _MIN_CHANGE)
        changes = [self._judge(history, int(at)) for at in high if self._is_peak(int(at))]
        self._forget(end - self._peak - 1)
        return [change for change in changes if change is not None]

    def _measure(self, history: History, known: int) -> None:
        """Append the changes around all frames whose later picture is known."""
        at = np.arange(self._first + len(self._changes), known - self._half)
        if at.size == 0:
            return
        first, last = self._bounds(at, self._half, history)
        pictures = history.blocks(int(first[0]), int(last[-1]) + 1)
        changes = np.abs(pictures[last - first[0]] - pictures[first - first[0]]).mean(axis=1)
        self._changes = np.concatenate([self._changes, changes])

    def _bounds(self, at: Indexes, half: int, history: History) -> tuple[Indexes, Indexes]:
        """First and last frames around ``at`` within ``half`` and within the same shot."""
        edges = np.array([history.first, *self._jumps, history.end])
        later = np.searchsorted(edges, at, side="right")
        return (
            np.maximum(at - half, edges[later - 1]),
            np.minimum(at + half, edges[later] - 1),
        )

    def _changes_of(self, start: int, end: int) -> NDArray[np.float64]:
        return self._changes[max(start - self._first, 0) : max(end - self._first, 0)]

    def _forget(self, before: int) -> None:
        count = max(min(before - self._first, len(self._changes)), 0)
        self._changes = self._changes[count:]
        self._first += count
        oldest = self._first - self.view - self._half
        self._jumps = [jump for jump in self._jumps if jump >= oldest]

    def _is_peak(self, at: int) -> bool:
        change = self._changes_of(at, at + 1)[0]
        before = self._changes_of(at - self._peak, at)
        after = self._changes_of(at + 1, at + 1 + self._peak)
        return bool(np.all(before < change) and np.all(after <= change))

    def _judge(self, history: History, at: int) -> Change | None:
        _, near = self._around(history, at, self._half)
        if len(near) < _FEWEST_PICTURES or _ends_plain(near):
            return None
        wipe = find_wipe(lambda frame: self._around(history, frame, self.view), at, self._rate)
        if _is_sudden(near) and not (wipe and self._is_slow(*wipe)):
            return None
        if _ends_plain(near[::-1]):
            return self._judge_dip(history, at)
        start, view = self._around(history, at, self.view)
        first, last = _extent(view, at - start)
        first, last = wipe or (start + first, start + last)
        cut = self._cut(first, last, at)
        contrast = history.contrast(cut, self._side, start, start + len(view))
        return Change(cut, contrast, is_sure=wipe is not None or _is_transition(near))

    def _is_slow(self, first: int, last: int) -> bool:
        return last - first >= _SLOW_WIPE_SECONDS * self._rate

    def _judge_dip(self, history: History, at: int) -> Change:
        """The change around a plain picture; ``at`` is on the way up from it.

        Where the scenes differ more from black than from each other, the picture changes most on
        the way down and on the way up. The way up tells of both.
        """
        first, near = self._around(history, at, self._half)
        plain = first + int(_contrasts(near[: at - first + 1]).argmin())
        start, view = self._around(history, plain, self.view)
        first, last = _extent(view, plain - start)
        cut = self._cut(start + first, start + last, at)
        contrast = history.contrast(cut, self._side, start, start + len(view))
        return Change(cut, contrast)

    def _cut(self, first: int, last: int, at: int) -> Cut:
        """The cut from ``first`` to ``last``; what is far before ``at`` is decided already."""
        end = max(first, at - self.back)
        return Cut(end, max(end, last))

    def _around(self, history: History, at: int, half: int) -> tuple[int, Blocks]:
        first, last = self._bounds(np.array([at]), half, history)
        return int(first[0]), history.blocks(int(first[0]), int(last[0]) + 1)


def _is_sudden(view: Blocks) -> bool:
    steps = np.abs(np.diff(view, axis=0)).mean(axis=1)
    return bool(steps.max() > _MAX_STEP * np.abs(view[-1] - view[0]).mean())


def _ends_plain(view: Blocks) -> bool:
    """Whether the last picture is black, or of another colour, and the first is not."""
    first, last = _contrasts(view[[0, -1]])
    return bool(last < _BLACK * first)


def _contrasts(view: Blocks) -> Floats:
    pictures = view.astype(np.float32).reshape(len(view), -1, 3)
    return np.asarray(pictures.std(axis=1).mean(axis=1), np.float32)


def _is_transition(view: Blocks) -> bool:
    """Whether the pictures between both ends are mixtures of them, or one is plain."""
    pictures = view.astype(np.float32)
    start, end, between = pictures[0], pictures[-1], pictures[1:-1]
    return _plainest(view) is not None or _mixture_error(start, end, between) < _MIXED


def _progress(view: Blocks) -> Floats:
    """How far each picture is on the way from the first to the last, 0 to 1, shape ``(N,)``."""
    pictures = view.astype(np.float32)
    start, end = pictures[:3].mean(axis=0), pictures[-3:].mean(axis=0)
    way = end - start
    return np.asarray((pictures - start) @ way / max(float(way @ way), 1.0), np.float32)


def _extent(view: Blocks, centre: int) -> tuple[int, int]:
    """First picture that shows a tenth of what comes and first that shows nine tenths of it."""
    plain = _plainest(view)
    if plain is None:
        return _crossing(_progress(view), centre)
    return _dip(_progress(view[: plain + 1]), _progress(view[plain:]))


def _dip(down: Floats, up: Floats) -> tuple[int, int]:
    """From the first tenth on the way down to the last on the way up."""
    old, new = np.flatnonzero(down < 0.1), np.flatnonzero(up > 0.9)
    plain = len(down) - 1
    before = plain - (int(old[-1]) + 1 if old.size else 0)
    after = int(new[0]) if new.size else len(up) - 1
    half = max(1, min(before, after))  # what reaches further on one side is motion
    return max(plain - half, 0), min(plain + half, plain + len(up) - 1)


def _crossing(progress: Floats, centre: int) -> tuple[int, int]:
    halves = np.flatnonzero((progress[:-1] < 0.5) & (progress[1:] >= 0.5)) + 1
    middle = int(halves[np.abs(halves - centre).argmin()]) if halves.size else centre
    old = np.flatnonzero(progress[:middle] < 0.1)
    new = np.flatnonzero(progress[middle:] > 0.9)
    first = int(old[-1]) + 1 if old.size else 0
    last = middle + int(new[0]) if new.size else len(progress) - 1
    half = min(middle - first, last - middle)  # what reaches further on one side is motion
    return max(middle - half - 1, 0), min(middle + half + 1, len(progress) - 1)


def _mixture_error(start: Floats, end: Floats, between: Floats) -> float:
    """Mean distance from the line between both ends, in lengths of it; 1 if nothing is between.

    Pictures that are all but one of the ends say nothing: there are many around a short pan.
    """
    way = end - start
    square = max(float(way @ way), 1.0)
    shares = (between - start) @ way / square
    rests = between - start - shares[:, None] * way
    errors = np.sqrt((rests**2).sum(axis=1) / square)
    is_between = (shares > _SHARE) & (shares < 1 - _SHARE)
    return float(errors[is_between].mean()) if is_between.any() else 1.0


def _plainest(view: Blocks) -> int | None:
    """The picture between both ends that has next to no contrast where the ends have."""
    contrast = _contrasts(view)
    plainest = 1 + int(contrast[1:-1].argmin())
    return plainest if contrast[plainest] < _PLAIN * min(contrast[0], contrast[-1]) else None
