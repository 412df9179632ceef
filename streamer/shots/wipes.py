"""Wipes: a front crosses the picture, and each line turns from old to new as it passes.

For each line the moment is found that best parts what it shows into two halves, as in least-squares
change-point detection. Where these moments lie on a line in time and place, a front has passed. In
a dissolve all lines turn at once; in motion they turn in disorder, and again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.shots.history import BLOCK_COLUMNS, BLOCK_ROWS, Blocks

# Of 81 wipes 74 pass these limits, of 800 other large changes within clips none.
_MIN_EXPLAINED = 0.5
_MIN_CORRELATION, _MIN_SECONDS = 0.97, 0.2
# Or most lines turn when the others say that they should: over a moving picture single lines turn
# at the wrong time. Fast pans can do that too, but take less time.
_MIN_IN_STEP, _LOW_CORRELATION, _IN_STEP_SECONDS = 0.8, 0.75, 0.27
# No pan takes this long to cross; a few lines may then turn at any time.
_LONG_SECONDS = 0.5
# The middle of a wipe may be this far from where the picture changes most.
_EARLIER_SECONDS, _LATER_SECONDS = 0.45, 0.1

Floats = NDArray[np.float32]
Around = Callable[[int], tuple[int, Blocks]]
"""Gives the pictures around a frame, int16 ``(N, 432)``, and the index of the first of them."""


def find_wipe(around: Around, at: int, rate: float) -> tuple[int, int] | None:
    """First frame that shows a tenth of what comes, and first that shows nine tenths of it.

    Args:
        around: pictures without a cut.
        at: the frame around which the picture changes most.
        rate: frames per second.

    Returns:
        None if there is no wipe.
    """
    return _find(around, at, rate, _columns) or _find(around, at, rate, _rows)


def _find(
    around: Around, at: int, rate: float, lines_of: Callable[[Blocks], Floats]
) -> tuple[int, int] | None:
    start, view = around(at)
    middle = start + _turns(lines_of(view)).middle
    earliest, latest = at - _EARLIER_SECONDS * rate, at + _LATER_SECONDS * rate
    start, view = around(round(min(max(middle, earliest), latest)))
    turns = _turns(lines_of(view))
    if not turns.are_a_front(rate):
        return None
    half = 0.8 * turns.length / 2
    first, last = round(turns.middle - half), round(turns.middle + half)
    return start + max(first, 0), start + min(last, len(view) - 1)


def _columns(view: Blocks) -> Floats:
    pictures = view.reshape(-1, BLOCK_ROWS, BLOCK_COLUMNS, 3).transpose(0, 2, 1, 3)
    return pictures.reshape(len(view), BLOCK_COLUMNS, -1).astype(np.float32)


def _rows(view: Blocks) -> Floats:
    return view.reshape(len(view), BLOCK_ROWS, -1).astype(np.float32)


@dataclass(frozen=True)
class _Turns:
    """When each line turns, and the line through these moments by Theil and Sen.

    Attributes:
        moments: of each line, in frames.
        sizes: by how much each turns.
        explained: mean share of a line's variance that its turn explains.
        slope: frames per line.
        middle: when the middle of the picture turns.
    """

    moments: Floats
    sizes: Floats
    explained: float
    slope: float
    middle: float

    @property
    def length(self) -> float:
        """How long the front takes across the picture, in frames."""
        return abs(self.slope) * len(self.moments)

    def are_a_front(self, rate: float) -> bool:
        """Whether the lines turn one after the other, and stay so."""
        seconds, correlation = self.length / rate, self._correlation()
        in_order = seconds >= _MIN_SECONDS and correlation >= _MIN_CORRELATION
        in_step = self._share_in_step() >= _MIN_IN_STEP and (
            seconds >= _LONG_SECONDS
            or (seconds >= _IN_STEP_SECONDS and correlation >= _LOW_CORRELATION)
        )
        return self.explained >= _MIN_EXPLAINED and (in_order or in_step)

    def _correlation(self) -> float:
        """Of moments and places, 0 to 1; lines that change more count more."""
        weights = self.sizes / max(float(self.sizes.sum()), 1e-6)
        places = np.arange(len(weights), dtype=np.float32)
        places, moments = places - weights @ places, self.moments - weights @ self.moments
        spread = float((weights @ places**2) * (weights @ moments**2))
        return abs(float(weights @ (places * moments))) / float(np.sqrt(max(spread, 1e-9)))

    def _share_in_step(self) -> float:
        """Share of the lines that turn within a frame or two of where the front should be."""
        places = np.arange(len(self.moments)) - (len(self.moments) - 1) / 2
        off = np.abs(self.moments - self.middle - self.slope * places)
        return float((off <= max(1.0, 0.06 * self.length)).mean())


def _turns(lines: Floats) -> _Turns:
    """Of lines ``(N, lines, values)``."""
    moments, sizes, explained = _best_parting(lines)
    first, second = np.triu_indices(len(moments), 1)
    slope = float(np.median((moments[second] - moments[first]) / (second - first)))
    places = np.arange(len(moments)) - (len(moments) - 1) / 2
    middle = float(np.median(moments - slope * places))
    return _Turns(moments, sizes, explained, slope, middle)


def _best_parting(lines: Floats) -> tuple[Floats, Floats, float]:
    count = len(lines)
    before = np.arange(1, count, dtype=np.float32)[:, None]
    sums = np.cumsum(lines, axis=0)
    old = sums[:-1] / before[..., None]
    new = (sums[-1] - sums[:-1]) / (count - before)[..., None]
    steps = ((new - old) ** 2).sum(axis=2)
    between = steps * before * (count - before) / count
    best = between.argmax(axis=0)
    total = ((lines - lines.mean(axis=0)) ** 2).sum(axis=(0, 2))
    each = np.arange(lines.shape[1])
    explained = float((between[best, each] / np.maximum(total, 1e-6)).mean())
    return (best + 1).astype(np.float32), np.sqrt(steps[best, each]), explained
