"""Reels with known joins: every real clip once, with one kind of join and one frame rate each."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

from benchmarks.media import REAL_REEL
from streamer.errors import UsageError
from streamer.evaluate.manifest import Event, Manifest, exact_rate, load_manifest
from streamer.evaluate.movie import write_movie
from streamer.evaluate.reel import ReelPlan, make_reel
from streamer.evaluate.single_clip import SingleClip, clip_pictures, load_clips

CLIPS = REAL_REEL.with_name("clips.json")
SIZE = (480, 270)  # three quarters of what the clips have: half the time to write
_FADE_RATE = Fraction(25)
_LENGTHS = {"fade": ("0.3", "0.6", "1.0"), "dip": ("0.3", "0.6", "1.0"), "wipe": ("0.6", "1.0")}

HARD = tuple(
    ReelPlan(exact_rate(rate), SIZE, "cut", seed=seed)
    for seed, rate in enumerate(("24", "25", "29.97", "50", "60"), start=1)
)
GRADUAL = tuple(
    ReelPlan(_FADE_RATE, SIZE, kind, Fraction(length), seed)
    for seed, (kind, length) in enumerate(
        ((kind, length) for kind, lengths in _LENGTHS.items() for length in lengths), start=11
    )
)


def name_of(plan: ReelPlan) -> str:
    """File name of a reel, without its suffix."""
    length = "" if plan.transition == "cut" else f"-{float(plan.seconds):g}s"
    return f"{plan.transition}{length}-{float(plan.rate):.4g}fps"


def gather_clips(folder: Path) -> list[SingleClip]:
    """The single clips, and the events of the real reel cut out into ``folder``.

    Raises:
        UsageError: if the clips or the reel are not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [*load_clips(CLIPS), *cut_events(REAL_REEL, folder)]


def cut_events(video: Path, folder: Path) -> list[SingleClip]:
    """A clip of each event of a video, by the manifest beside it; those there are kept.

    Raises:
        UsageError: if the video or its manifest cannot be read.
    """
    truth = load_manifest(video.with_suffix(".json"))[1]
    clips = [_clip_of(event, truth, folder) for event in truth.events]
    if not all(clip.path.is_file() for clip in clips):
        _cut_out(video, truth, clips)
    return clips


def _clip_of(event: Event, truth: Manifest, folder: Path) -> SingleClip:
    seconds = (event.end_frame - event.start_frame) / truth.fps
    return SingleClip(folder / str(event.source), event.caption, event.category, float(seconds))


def _cut_out(video: Path, truth: Manifest, clips: Sequence[SingleClip]) -> None:
    width, height = (int(side) for side in truth.size.split("x"))
    pictures = clip_pictures(video, truth.fps, (width, height))
    for event, clip in zip(truth.events, clips, strict=True):
        shown = islice(pictures, event.end_frame - event.start_frame)
        write_movie(clip.path, shown, truth.fps, (width, height))


def build_reel(clips: Sequence[SingleClip], folder: Path, plan: ReelPlan) -> Path:
    """Path of the manifest of the reel in ``folder``, which is made unless it is there."""
    manifest = folder / f"{name_of(plan)}.json"
    if not _is_built(manifest, clips, plan):
        make_reel(clips, manifest.with_suffix(".mp4"), plan)
    return manifest


def _is_built(manifest: Path, clips: Sequence[SingleClip], plan: ReelPlan) -> bool:
    truth = built_truth(manifest)
    return truth is not None and (
        (truth.fps, truth.size) == (plan.rate, "x".join(map(str, plan.size)))
        and {join.transition for join in truth.true_joins()} == {plan.transition}
        and sorted(str(event.source) for event in truth.events)
        == sorted(clip.path.name for clip in clips)
    )


def built_truth(manifest: Path) -> Manifest | None:
    """The truth of a video that was built before; ``None`` if it is not there as a whole."""
    try:
        return load_manifest(manifest)[1]
    except UsageError:
        return None
