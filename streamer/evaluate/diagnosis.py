"""What went wrong at each missed join and each false boundary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from streamer.evaluate.manifest import Manifest
from streamer.evaluate.measurement import Compared, Scale
from streamer.evaluate.split import ShotSeen

Cause = Literal[
    "unseen", "stitched", "dropped", "displaced", "flash", "cut", "long shot", "dropped edge"
]
_FLASH_REACH = 5  # frames around a flash in which a boundary is blamed on it


@dataclass(frozen=True)
class Mistake:
    """A missed join or a false boundary.

    Attributes:
        place: where, in frames.
        error: which of both.
        cause: of a miss: ``unseen``, the detector saw no cut there; ``stitched``, it did, and the
            stitching joined both sides; ``dropped``, it did, and what is around was left out;
            ``displaced``, a boundary is near, but not near enough or taken by another join. Of a
            false boundary: ``flash``; ``dropped edge``, of a stretch left out; ``long shot``, a
            piece of one was not stitched again; ``cut``, the detector saw one, and the stitching
            kept it.
        transition: kind of the join, of a miss.
        distance: between embeddings, where known: across the cut, or if there was none, between
            both ends of the shot that hides the join.
        in_clip: whether a clip shows both sides, so that it is not of one event; of a miss.
    """

    place: float
    error: Literal["missed", "false"]
    cause: Cause
    transition: str | None = None
    distance: float | None = None
    in_clip: bool = False


def mistakes(compared: Compared, truth: Manifest, scale: Scale) -> tuple[Mistake, ...]:
    """All of them, in order of place."""
    found = [*_missed(compared, scale), *_false(compared, truth)]
    return tuple(sorted(found, key=lambda mistake: mistake.place))


def _missed(compared: Compared, scale: Scale) -> Iterator[Mistake]:
    for index in compared.match.missed:
        join = compared.joins[index]
        place = join.middle
        in_clip = any(clip.holds(place) for clip in compared.split.clips)
        after = _shot_near(compared, place, scale.tolerance(join))
        if after is None:
            hiding = next((s for s in compared.split.shots if s.frames.holds(place)), None)
            between = hiding.inner_distance if hiding is not None else None
            yield Mistake(place, "missed", "unseen", join.transition, between, in_clip)
        else:
            cause = _cause_of_miss(compared, after)
            between = after.distance_before
            yield Mistake(place, "missed", cause, join.transition, between, in_clip)


def _cause_of_miss(compared: Compared, after: ShotSeen) -> Cause:
    """Why the cut that the detector saw is no boundary that counts."""
    clips, cut = compared.split.clips, after.frames.start
    if any(clip.holds(cut) for clip in clips):
        return "stitched"
    return "displaced" if any(cut in (clip.start, clip.end) for clip in clips) else "dropped"


def _shot_near(compared: Compared, place: float, tolerance: float) -> ShotSeen | None:
    """The shot that begins nearest to ``place``, with a cut, within tolerance."""
    near = [
        (abs(shot.frames.start - place), index)
        for index, shot in enumerate(compared.split.shots)
        if shot.begins_with_cut and abs(shot.frames.start - place) <= tolerance
    ]
    return compared.split.shots[min(near)[1]] if near else None


def _false(compared: Compared, truth: Manifest) -> Iterator[Mistake]:
    for index in compared.match.false:
        boundary = compared.boundaries[index]
        shot = _shot_after(compared, boundary.place)
        between = shot.distance_before if shot is not None else None
        if _is_flash(truth, boundary.place):
            cause: Cause = "flash"
        elif boundary.dropped:
            cause = "dropped edge"
        else:
            cause = "cut" if shot is None or shot.begins_with_cut else "long shot"
        yield Mistake(boundary.place, "false", cause, None, between)


def _is_flash(truth: Manifest, place: float) -> bool:
    return any(
        flash.start_frame - _FLASH_REACH <= place <= flash.end_frame + _FLASH_REACH
        for flash in truth.flashes
    )


def _shot_after(compared: Compared, place: float) -> ShotSeen | None:
    return next((shot for shot in compared.split.shots if shot.frames.start >= place), None)
