"""Presentation times that strictly advance, and the points at which frames are sampled."""

from __future__ import annotations

from fractions import Fraction

# Steps back by more than this, this many in a row, are a spliced stream whose clock began anew;
# one alone is a bad stamp, or a frame that a damaged stream put out late.
_SPLICE_SECONDS = 1
_SPLICE_FRAMES = 3


class Timeline:
    """Turns the timestamps a decoder gives into ticks that strictly advance.

    The stream's own timestamps are kept wherever they advance. A frame without one follows the
    frame before it; a repeated or slightly backward one moves to one tick after it; a stream
    whose clock starts over goes on where it was, and all later frames move with it.

    Attributes:
        repaired: number of frames whose timestamp was missing, repeated or backward.
    """

    def __init__(self, time_base: Fraction, average_rate: Fraction) -> None:
        self._typical = max(1, round(1 / (average_rate * time_base)))
        self._splice = max(self._typical, int(_SPLICE_SECONDS / time_base))
        self._shift = 0
        self._far_behind = 0
        self._first = 0
        self._last: int | None = None
        self._last_length = self._typical
        self.repaired = 0

    def place(self, pts: int | None, dts: int | None, length: int) -> int:
        """The start of the next frame, in ticks.

        Args:
            pts: presentation timestamp, or ``None``.
            dts: decoding timestamp of the packet; only used if the first frame has no ``pts``.
            length: duration in ticks, 0 if unknown.
        """
        if self._last is None:
            self.repaired += pts is None
            start = self._first = first_start(pts, dts)
        else:
            start = self._after(self._last, pts)
        self._last, self._last_length = start, length if length > 0 else self._typical
        return start

    def _after(self, last: int, pts: int | None) -> int:
        if pts is None:
            self.repaired += 1
            return last + self._last_length
        behind = last - (pts + self._shift)
        self._far_behind = self._far_behind + 1 if behind >= self._splice else 0
        if behind < 0:
            return pts + self._shift
        self.repaired += 1
        if self._far_behind < _SPLICE_FRAMES:
            return last + 1
        self._shift, self._far_behind = last + self._last_length - pts, 0
        return last + self._last_length

    def is_late(self, pts: int | None) -> bool:
        """Whether a frame with this timestamp would have to be moved to come after the last."""
        return pts is not None and self._last is not None and pts + self._shift <= self._last

    @property
    def elapsed(self) -> int:
        """Ticks from the start of the first frame to that of the last one placed."""
        return 0 if self._last is None else self._last - self._first

    @property
    def end(self) -> int:
        """The end of the last frame placed, in ticks."""
        return (self._last or 0) + self._last_length

    @property
    def spliced(self) -> bool:
        """Whether the stream's clock started over, so that times are no longer its own."""
        return self._shift != 0


def first_start(pts: int | None, dts: int | None) -> int:
    """Where a stream begins, in ticks: as its first frame says, or its packet."""
    return pts if pts is not None else dts or 0


class SamplePoints:
    """Picks the first frame at or past each point ``k / rate`` after the first frame.

    Args:
        rate: points a second.
        time_base: seconds per tick.
        first: start of the first frame in ticks.
    """

    def __init__(self, rate: float, time_base: Fraction, first: int) -> None:
        # str() so that 0.1 means one tenth and not its nearest binary fraction.
        self._per_tick = Fraction(str(rate)) * time_base
        self._first = first
        self._last: int | None = None

    def due(self, ticks: int) -> bool:
        """Whether the frame that starts at ``ticks`` is sampled; call once per frame, in order."""
        last, self._last = self._last, ticks
        return last is None or self.lie_between(last, ticks)

    def lie_between(self, last: int, ticks: int) -> bool:
        """Whether a frame at ``ticks`` is sampled if the one before it started at ``last``."""
        return self._passed(ticks) > self._passed(last)

    def _passed(self, ticks: int) -> int:
        return (ticks - self._first) * self._per_tick.numerator // self._per_tick.denominator
