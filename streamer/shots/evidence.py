"""What a cut detector says while frames stream by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from streamer.decode.interface import Pixels


@dataclass(frozen=True)
class Doubt:
    """What there is to see around a change that may be a cut or motion.

    Attributes:
        window: small frames around it, the change in the middle, uint8 ``(100, 27, 48, 3)``.
        reach: how far from the middle a cut may be to be this one, in frames of the window.
    """

    window: Pixels
    reach: int

    @property
    def around(self) -> Pixels:
        """The frames of the window in which the change lies."""
        middle = len(self.window) // 2
        return self.window[middle - self.reach : middle + self.reach + 1]


@dataclass(frozen=True)
class Cut:
    """A shot ends before frame ``end``; the next one starts at frame ``start``.

    The frames in ``[end, start)`` lie in a gradual transition and belong to neither.

    Raises:
        ValueError: if the next shot starts before this one ends.
    """

    end: int
    start: int
    doubt: Doubt | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.start < self.end:
            raise ValueError(f"a shot that ends at {self.end} is followed by one at {self.start}")


@dataclass(frozen=True)
class Evidence:
    """Cuts in order, and how far the detector has made up its mind.

    Attributes:
        cuts: new cuts since the last evidence.
        decided: no later cut will end a shot before this frame.
    """

    cuts: tuple[Cut, ...]
    decided: int


class CutDetector(Protocol):
    """Finds cuts in a stream of small frames. Any chunking gives the same cuts."""

    def feed(self, small: Pixels) -> Evidence:
        """Take the next frames, uint8 RGB ``(N, 27, 48, 3)``."""
        ...

    def finish(self) -> Evidence:
        """No more frames: decide the rest."""
        ...
