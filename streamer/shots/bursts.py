"""Changes that follow each other too fast to have a shot between them count as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streamer.shots.evidence import Cut

_SHORTEST_SHOT_SECONDS = 0.4
_LONGEST_BURST_SECONDS = 1.5
# What an unsure change weighs beside a sure jump, and what a sure change over several frames does:
# left-over frames jump, too, but nothing that happens within a shot looks like a whole wipe.
_UNSURE, _GRADUAL = 0.85, 1.25


@dataclass(frozen=True)
class Change:
    """A cut, how strong it is, and whether it is one at all.

    Attributes:
        cut: where it is.
        contrast: how much the colours before and after it differ, 0 to 1.
        is_sure: whether it can be nothing else.
    """

    cut: Cut
    contrast: float
    is_sure: bool = True


class Bursts:
    """Of changes less than 0.4 s apart keeps the one with the most contrast.

    Such bursts come from camera flashes, from the last frames of another shot that editors leave
    at a join, and from motion right before or after a change: colours stay in motion.

    Args:
        rate: frames per second.
    """

    def __init__(self, rate: float):
        self._shortest_shot = max(1, round(_SHORTEST_SHOT_SECONDS * rate))
        self._longest = round(_LONGEST_BURST_SECONDS * rate)
        self._burst: list[Change] = []

    def merge(self, changes: Iterable[Change], decided: int) -> list[Cut]:
        """The cuts of bursts that are over.

        Args:
            changes: the next ones, in order of the ends of their cuts.
            decided: no later change ends a shot before this frame.
        """
        over: list[Cut] = []
        for change in changes:
            if self._burst and not self._goes_on(change.cut):
                over.extend(self.finish())
            self._burst.append(change)
        if self._burst and decided >= self._latest + self._shortest_shot:
            over.extend(self.finish())
        return over

    def decided(self, frame: int) -> int:
        """How far cuts are merged, where changes are known up to ``frame``."""
        return min([frame, *(change.cut.end for change in self._burst)])

    def finish(self) -> list[Cut]:
        """The cut of the open burst, if there is one."""
        burst, self._burst = self._burst, []
        return [max(burst, key=_weight).cut] if burst else []

    @property
    def _latest(self) -> int:
        return max(change.cut.start for change in self._burst)

    def _goes_on(self, cut: Cut) -> bool:
        near = cut.end < self._latest + self._shortest_shot
        return near and cut.start - self._burst[0].cut.end <= self._longest


def _weight(change: Change) -> float:
    if not change.is_sure:
        return _UNSURE * change.contrast
    return (_GRADUAL if change.cut.start > change.cut.end else 1.0) * change.contrast
