"""Gradual changes: cross-fades, wipes and dips, told from motion by how they come about.

Where a picture differs much from the one most of a second later, and no single frame did it,
there is a transition or there is motion. In a dissolve the pictures between are mixtures of both
ends, as in the linear model of dissolve detectors (Yu, Bozdagi and Harrington, ICIP 1997); in a
wipe one line after the other turns new; in a dip one picture between is of a single colour.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamer.shots.bursts import GRADUAL, Change
from streamer.shots.evidence import Cut
from streamer.shots.history import BLOCK_COLUMNS, BLOCK_ROWS, Blocks, History

_LAG_SECONDS = 0.9
_PEAK_SECONDS = 0.3
# A transition of a second and its surroundings.
_VIEW_SECONDS = 0.65
# Mean difference of two pictures, of 255: joins of unrelated clips make 31 and more.
_MIN_CHANGE = 28.0
# A single frame that makes more of the change than this is a jump.
_MAX_STEP = 0.5
_MIXED, _PLAIN = 0.15, 0.3
_FRONT, _MIN_SWEEP = 0.85, 0.2

Floats = NDArray[np.float32]


class Ramps:
    """Gradual changes in a stream of frames.

    Args:
        rate: frames per second.
    """

    def __init__(self, rate: float):
        self._half = max(1, round(_LAG_SECONDS / 2 * rate))
        self._peak = max(1, round(_PEAK_SECONDS * rate))
        self.view = max(2, round(_VIEW_SECONDS * rate))
        self.reach = max(self._half + self._peak, self.view)
        self._changes: NDArray[np.float64] = np.empty(0)
        self._first = self._half
        self._next = self._half

    def find(self, history: History, end: int) -> list[Change]:
        """Changes around frames up to ``end``; the caller leaves ``reach`` frames behind it."""
        self._measure(history)
        begin, self._next = self._next, max(end, self._next)
        high = begin + np.flatnonzero(self._changes_of(begin, end) >= _MIN_CHANGE)
        changes = [self._judge(history, int(at)) for at in high if self._is_peak(int(at))]
        self._forget(end - self._peak - 1)
        return [change for change in changes if change is not None]

    def _measure(self, history: History) -> None:
        """Append the changes around all frames whose later picture has come."""
        done = self._first + len(self._changes)
        later = history.blocks(done + self._half, history.end)
        earlier = history.blocks(done - self._half, history.end - 2 * self._half)
        changes = np.abs(later - earlier[: len(later)]).mean(axis=1)
        self._changes = np.concatenate([self._changes, changes])

    def _changes_of(self, start: int, end: int) -> NDArray[np.float64]:
        return self._changes[max(start - self._first, 0) : max(end - self._first, 0)]

    def _forget(self, before: int) -> None:
        count = max(min(before - self._first, len(self._changes)), 0)
        self._changes = self._changes[count:]
        self._first += count

    def _is_peak(self, at: int) -> bool:
        change = self._changes_of(at, at + 1)[0]
        before = self._changes_of(at - self._peak, at)
        after = self._changes_of(at + 1, at + 1 + self._peak)
        return bool(np.all(before < change) and np.all(after <= change))

    def _judge(self, history: History, at: int) -> Change | None:
        start = max(at - self.view, history.first)
        view = history.blocks(start, at + self.view + 1)
        near = history.blocks(at - self._half, at + self._half + 1)
        if _is_sudden(near):
            return None
        first, last = _extent(view, at - start)
        return Change(Cut(start + first, start + last), GRADUAL, _is_transition(near))


def _is_sudden(view: Blocks) -> bool:
    steps = np.abs(np.diff(view, axis=0)).mean(axis=1)
    return bool(steps.max() > _MAX_STEP * np.abs(view[-1] - view[0]).mean())


def _is_transition(view: Blocks) -> bool:
    """Whether the pictures between both ends are mixtures of them, or parts, or plain."""
    pictures = view.astype(np.float32)
    start, end, between = pictures[0], pictures[-1], pictures[1:-1]
    return (
        _plainest(view) is not None
        or _mixture_error(start, end, between) < _MIXED
        or _sweeps(start, end, between)
    )


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
    first = int(old[-1]) + 1 if old.size else 0
    last = len(down) - 1 + (int(new[0]) if new.size else len(up) - 1)
    return min(first, len(down) - 1), last


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
    """Mean distance of the pictures from the line between both ends, in lengths of it."""
    way = end - start
    square = max(float(way @ way), 1.0)
    shares = (between - start) @ way / square
    rests = between - start - shares[:, None] * way
    return float(np.sqrt((rests**2).sum(axis=1) / square).mean())


def _sweeps(start: Floats, end: Floats, between: Floats) -> bool:
    """Whether the new picture takes the place of the old one column by column, or row by row."""
    shape = (-1, BLOCK_ROWS, BLOCK_COLUMNS, 3)
    old, new = (np.abs(between - each).reshape(shape) for each in (start, end))
    return any(
        _is_front(new.mean(axis=across) < old.mean(axis=across)) for across in ((1, 3), (2, 3))
    )


def _is_front(is_new: NDArray[np.bool_]) -> bool:
    """Whether lines turn new one after the other, and stay so; shape ``(pictures, lines)``.

    Lines that turn all at once are a dissolve, and lines that turn to and fro are motion.
    """
    turns = (~is_new).sum(axis=0)
    stays = np.arange(len(is_new))[:, None] >= turns
    steps = np.diff(turns)
    ordered = max((steps >= 0).mean(), (steps <= 0).mean())
    spread = np.ptp(turns) / len(is_new)
    return bool((stays == is_new).mean() > _FRONT and ordered > _FRONT and spread > _MIN_SWEEP)


def _plainest(view: Blocks) -> int | None:
    """The picture between both ends that has next to no contrast where the ends have."""
    pictures = view.astype(np.float32).reshape(len(view), -1, 3)
    contrast = pictures.std(axis=1).mean(axis=1)
    plainest = 1 + int(contrast[1:-1].argmin())
    return plainest if contrast[plainest] < _PLAIN * min(contrast[0], contrast[-1]) else None
