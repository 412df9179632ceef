"""What a boundary is, so that any splitter's clips can be compared with true joins.

A boundary is a place inside the video where the set of clips has an edge:

- the end of a clip and the start of the next one are one boundary if at most ``gap`` frames lie
  between them. It lies in the middle of these frames, so where a splitter leaves a transition
  out, the transition's middle is compared;
- a longer dropped stretch between two clips has two edges, and each is a boundary; one before the
  first clip or after the last has one edge inside the video, and that is a boundary;
- a dropped stretch of at most ``gap`` frames at the start or the end of the video is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Frames:
    """The frames ``[start, end)``.

    Raises:
        ValueError: if there are none.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"no frames in [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def holds(self, place: float) -> bool:
        """Whether a place, in frames, lies inside; the ends do not count."""
        return self.start < place < self.end


@dataclass(frozen=True)
class Boundary:
    """A boundary of a set of clips.

    Attributes:
        place: where, in frames; ``n`` is the edge before frame ``n``.
        dropped: whether it is an edge of a dropped stretch.
    """

    place: float
    dropped: bool = False


def boundaries_of(clips: Sequence[Frames], frames: int, gap: int) -> tuple[Boundary, ...]:
    """The boundaries of ``clips``, in order, as this module defines them.

    Args:
        clips: in order, disjoint.
        frames: number of frames of the video.
        gap: longest dropped stretch, in frames, that is one boundary.

    Raises:
        ValueError: if clips overlap or lie outside the video.
    """
    _check(clips, frames)
    if not clips:
        return ()
    first = _outer(clips[0].start, clips[0].start, gap)
    last = _outer(clips[-1].end, frames - clips[-1].end, gap)
    inner = (each for one, other in pairwise(clips) for each in _between(one, other, gap))
    return (*first, *inner, *last)


def _check(clips: Sequence[Frames], frames: int) -> None:
    if any(other.start < one.end for one, other in pairwise(clips)):
        raise ValueError("clips overlap or are out of order")
    if clips and clips[-1].end > frames:
        raise ValueError(f"a clip ends at frame {clips[-1].end} of {frames}")


def _outer(place: int, dropped: int, gap: int) -> Iterable[Boundary]:
    return (Boundary(place, dropped=True),) if dropped > gap else ()


def _between(one: Frames, other: Frames, gap: int) -> Iterable[Boundary]:
    if other.start - one.end <= gap:
        return (Boundary((one.end + other.start) / 2),)
    return Boundary(one.end, dropped=True), Boundary(other.start, dropped=True)
