"""One splitter on one video, counted; counts of several videos add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from streamer.evaluate.boundaries import Boundary, boundaries_of
from streamer.evaluate.manifest import Join, Manifest
from streamer.evaluate.matching import Match, match
from streamer.evaluate.running import RunningDistances
from streamer.evaluate.split import Split

HARD_CUT_TOLERANCE = 5  # frames
GAP_SECONDS = 1.0


@dataclass(frozen=True)
class Scale:
    """What counts as right.

    Attributes:
        tolerance_frames: how far a boundary may be from any join; ``None``: 5 frames, or half
            the join's length where that is more.
        gap_seconds: longest dropped stretch that is one boundary.
    """

    tolerance_frames: float | None = None
    gap_seconds: float = GAP_SECONDS

    def tolerance(self, join: Join) -> float:
        """How far a boundary may be from the middle of ``join``, in frames."""
        if self.tolerance_frames is not None:
            return self.tolerance_frames
        return max(float(HARD_CUT_TOLERANCE), join.length / 2)


@dataclass(frozen=True)
class Compared:
    """A split beside the truth."""

    split: Split
    joins: tuple[Join, ...]
    boundaries: tuple[Boundary, ...]
    match: Match


def compare(split: Split, truth: Manifest, scale: Scale) -> Compared:
    """Find the boundaries of a split and match them with the true joins."""
    joins = truth.true_joins()
    gap = int(scale.gap_seconds * truth.fps)
    boundaries = boundaries_of(split.clips, split.total, gap)
    matched = match(
        [join.middle for join in joins],
        [boundary.place for boundary in boundaries],
        [scale.tolerance(join) for join in joins],
    )
    return Compared(split, joins, boundaries, matched)


@dataclass(frozen=True)
class Measurement:
    """Counts of one or more videos.

    Attributes:
        joins: true joins by kind of transition.
        hits: those of them that were found.
        found: boundaries found.
        lengths: of each clip, in seconds.
        shots_per_clip: of each clip.
        running: max running distance of each clip of two seconds or more.
        frames_after: frames decoded beyond each clip's end when it came out, where watched.
        kept: frames in clips.
        total: frames of the video.
        seconds: wall time of the splitting.
    """

    joins: Counter[str]
    hits: Counter[str]
    found: int
    lengths: tuple[float, ...]
    shots_per_clip: tuple[int, ...]
    running: tuple[float, ...]
    frames_after: tuple[int, ...]
    kept: int
    total: int
    seconds: float


def measure(compared: Compared, truth: Manifest, running: RunningDistances) -> Measurement:
    """Count what there is to count in one video."""
    split = compared.split
    distances = (running.largest_within(clip) for clip in split.clips)
    return Measurement(
        joins=Counter(join.transition for join in compared.joins),
        hits=Counter(compared.joins[true].transition for true, _ in compared.match.pairs),
        found=len(compared.boundaries),
        lengths=tuple(float(len(clip) / truth.fps) for clip in split.clips),
        shots_per_clip=split.shots_per_clip,
        running=tuple(each for each in distances if each is not None),
        frames_after=split.frames_after,
        kept=sum(len(clip) for clip in split.clips),
        total=split.total,
        seconds=split.seconds,
    )


def pool(measurements: Iterable[Measurement]) -> Measurement:
    """All of them as if of one video: every join and every clip counts the same."""
    parts = list(measurements)
    return Measurement(
        joins=sum((part.joins for part in parts), Counter()),
        hits=sum((part.hits for part in parts), Counter()),
        found=sum(part.found for part in parts),
        lengths=tuple(chain.from_iterable(part.lengths for part in parts)),
        shots_per_clip=tuple(chain.from_iterable(part.shots_per_clip for part in parts)),
        running=tuple(chain.from_iterable(part.running for part in parts)),
        frames_after=tuple(chain.from_iterable(part.frames_after for part in parts)),
        kept=sum(part.kept for part in parts),
        total=sum(part.total for part in parts),
        seconds=sum(part.seconds for part in parts),
    )
