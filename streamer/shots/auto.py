"""The default detector: evidence that costs next to nothing, and a doubt where it is not enough."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from streamer.decode.interface import Pixels
from streamer.shots.bursts import Bursts, Change
from streamer.shots.evidence import Doubt, Evidence
from streamer.shots.history import History
from streamer.shots.jumps import Jumps
from streamer.shots.ramps import Ramps
from streamer.shots.transnetv2 import WINDOW

# TransNetV2 learned from videos of 24 to 30 frames per second.
_MOST_FRAMES_PER_SECOND = 36
# How far from a doubted change TransNetV2 may see it.
_OFF_SECONDS = 0.3


@dataclass(frozen=True)
class _Doubted:
    """A change around frame ``centre`` whose window is not complete yet."""

    change: Change
    centre: int


class AutoDetector:
    """Sudden and gradual changes, told from motion by cheap evidence; asks no model.

    A cut that may be motion carries a doubt, which is for TransNetV2 to settle if it turns out to
    matter (`streamer.stitch.doubts`).

    Args:
        rate: frames per second of the video.
    """

    def __init__(self, rate: float):
        self._step = max(1, round(rate / _MOST_FRAMES_PER_SECOND))
        self._half_window = WINDOW // 2 * self._step
        self._history = History()
        self._jumps, self._ramps, self._bursts = Jumps(rate), Ramps(rate), Bursts(rate)
        self._lag = self._jumps.reach + self._ramps.reach
        self._off = max(1, round(_OFF_SECONDS * rate))
        self._known: list[Change] = []
        self._doubted: deque[_Doubted] = deque()
        self._seen = 0

    def feed(self, small: Pixels) -> Evidence:
        """Take the next frames, uint8 RGB ``(N, 27, 48, 3)``."""
        self._history.add(small)
        self._look(self._history.end - self._lag)
        self._complete(self._history.end - self._half_window)
        return self._settle()

    def finish(self) -> Evidence:
        """No more frames: decide the rest."""
        end = self._history.end
        self._look(end)
        self._complete(end)
        cuts = [*self._bursts.merge(sorted(self._known, key=_by_end), end), *self._bursts.finish()]
        return Evidence(tuple(cuts), end)

    def _look(self, end: int) -> None:
        """Find the changes around the frames before ``end``."""
        self._seen = max(end, self._seen)
        known = max(end, min(self._history.end - self._jumps.reach, self._history.end))
        jumps = self._jumps.find(self._history, known)
        starts = (jump.cut.start for jump in jumps if jump.is_sure)
        found = [*jumps, *self._ramps.find(self._history, starts, known, self._seen)]
        for change in found:
            if change.is_sure:
                self._known.append(change)
            else:
                middle = (change.cut.end + change.cut.start) // 2
                self._doubted.append(_Doubted(change, middle))

    def _complete(self, end: int) -> None:
        """Give the doubted changes around frames before ``end`` their windows."""
        while self._doubted and self._doubted[0].centre <= end:
            doubted = self._doubted.popleft()
            window = self._history.every(self._step, doubted.centre - self._half_window, WINDOW)
            cut = doubted.change.cut
            reach = (cut.start - cut.end) // 2 + self._off
            cut = replace(cut, doubt=Doubt(window, -(-reach // self._step)))
            self._known.append(replace(doubted.change, cut=cut))

    def _settle(self) -> Evidence:
        """Cuts that nothing still unknown can come before."""
        open_from = min([self._seen, *(doubted.centre for doubted in self._doubted)])
        decided = max(open_from - self._ramps.back, 0)
        due = sorted((each for each in self._known if each.cut.end < decided), key=_by_end)
        self._known = [each for each in self._known if each.cut.end >= decided]
        cuts = self._bursts.merge(due, decided)
        self._history.forget(open_from - max(self._half_window, 2 * self._lag))
        return Evidence(tuple(cuts), self._bursts.decided(decided))


def _by_end(change: Change) -> tuple[int, int]:
    return change.cut.end, change.cut.start
