"""What a cut detector says while frames stream by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from streamer.decode.interface import Pixels


@dataclass(frozen=True)
class Cut:
    """A shot ends before frame ``end``; the next one starts at frame ``start``.

    The frames in ``[end, start)`` lie in a gradual transition and belong to neither.
    """

    end: int
    start: int


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
