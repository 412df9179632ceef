"""Finds the distances of the splitting rules that fit an embedder, on videos with known joins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from streamer.config import Settings, SplitSettings
from streamer.decode import FrameBatch, open_video
from streamer.evaluate.boundaries import Frames
from streamer.evaluate.manifest import Manifest
from streamer.evaluate.matching import Match
from streamer.evaluate.measurement import Scale, compare
from streamer.evaluate.split import Split
from streamer.served import read_served
from streamer.spans import Span
from streamer.splitting import Splitting
from streamer.stitch import ProbedShot, StitchRules, stitch
from streamer.stitch.rules import distance
from streamer_client.triton import TritonModels

Advance = Callable[[int], None]
Preset = Literal["default", "panda-released"]
Fitted = Literal["event_distance", "stitch_distance"]
PASSES = 2  # how often each video is decoded: once for each of the presets below

_CANDIDATES = np.arange(0.3, 1.6, 0.01)
_NOTHING = 1e-6  # a distance that nothing is within
# Distances whose F1 is this near to the best are as good as the best.
_AS_GOOD = 0.005
_WITHIN_SHOTS = 0.985


@dataclass(frozen=True)
class Fit:
    """A distance that was found.

    Attributes:
        name: its key in the profile.
        value: the middle of ``low`` and ``high``.
        low: smallest distance that is as good.
        high: largest.
        score: F1 of the event boundaries there; of ``transition_distance`` the share of shots
            without a join inside whose ends lie nearer.
    """

    name: str
    value: float
    low: float
    high: float
    score: float


@dataclass(frozen=True)
class _Probed:
    """The shots of a video, as a preset sees them, without their pixels."""

    truth: Manifest
    shots: tuple[ProbedShot, ...]
    rules: StitchRules


def calibrate(
    videos: Sequence[tuple[Path, Manifest]],
    models: TritonModels,
    settings: Settings,
    advance: Advance,
) -> list[Fit]:
    """Fit ``event_distance``, ``stitch_distance`` and ``transition_distance``.

    The first two by the F1 of event boundaries of the presets that use them. A fade that no cut is
    found in makes a shot whose ends differ, so the third is where shots without one end.

    Args:
        videos: each with its truth.
        models: the connection to Triton, which serves the embedder as ``clip``.
        settings: how to decode.
        advance: told how many frames were decoded since it was called last.

    Raises:
        StreamerError: if a video or the models fail.
    """
    default = [_probed(*video, models, settings, "default", advance) for video in videos]
    panda = [_probed(*video, models, settings, "panda-released", advance) for video in videos]
    return [
        _fit("event_distance", default),
        _fit("stitch_distance", panda),
        _fit_transition(panda),
    ]


def _probed(
    path: Path,
    truth: Manifest,
    models: TritonModels,
    settings: Settings,
    preset: Preset,
    advance: Advance,
) -> _Probed:
    # Where every shot looks like another event, every doubt is settled, whatever distance is tried.
    split = SplitSettings(preset=preset, event_distance=_NOTHING)
    served = read_served(models, shots=preset == "default", captions=False)
    splitting = Splitting(split, served, models)
    with closing(open_video(path, settings.decode, splitting.small)) as video:
        batches = _counted(video.batches(), advance)
        shots = splitting.shots(batches, float(video.info.average_rate))
        found = tuple(_without_pixels(shot) for shot in splitting.probed(shots, Counter()))
    return _Probed(truth, found, splitting.rules)


def _counted(batches: Iterable[FrameBatch], advance: Advance) -> Iterator[FrameBatch]:
    for batch in batches:
        yield batch
        advance(len(batch))


def _without_pixels(shot: ProbedShot) -> ProbedShot:
    return replace(shot, shot=replace(shot.shot, samples=(), doubt=None))


def _fit(name: Fitted, videos: list[_Probed]) -> Fit:
    scores = np.array([_f1(videos, name, float(value)) for value in _CANDIDATES])
    best = int(scores.argmax())
    as_good = scores >= scores[best] - _AS_GOOD
    worse = np.flatnonzero(~as_good)
    first = max((int(i) + 1 for i in worse if i < best), default=0)
    last = min((int(i) - 1 for i in worse if i > best), default=len(scores) - 1)
    low, high = (round(float(_CANDIDATES[i]), 2) for i in (first, last))
    middle = (first + last) // 2
    value = round(float(_CANDIDATES[middle]), 2)
    return Fit(name, value, low, high, float(scores[middle]))


def _f1(videos: list[_Probed], name: Fitted, value: float) -> float:
    matches = [_match(video, name, value) for video in videos]
    hits = sum(len(match.pairs) for match in matches)
    wrong = sum(len(match.missed) + len(match.false) for match in matches)
    return 2 * hits / max(2 * hits + wrong, 1)


def _match(video: _Probed, name: Fitted, value: float) -> Match:
    thresholds = replace(video.rules.thresholds, **{name.removesuffix("_distance"): value})
    rules = replace(video.rules, thresholds=thresholds)
    clips = tuple(
        Frames(clip.span.start_frame, clip.span.end_frame)
        for clip in stitch(video.shots, rules, 1, Counter())
    )
    split = Split(name, clips, (), (1,) * len(clips), video.truth.frames, 0.0)
    return compare(split, video.truth, Scale()).match


def _fit_transition(videos: list[_Probed]) -> Fit:
    inner = [
        distance(shot.head, shot.tail)
        for video in videos
        for shot in video.shots
        if not _holds_join(shot.shot.span, video.truth)
    ]
    value = round(float(np.quantile(inner, _WITHIN_SHOTS)), 2)
    return Fit("transition_distance", value, value, value, _WITHIN_SHOTS)


def _holds_join(span: Span, truth: Manifest) -> bool:
    return any(
        join.start_frame < span.end_frame and join.end_frame > span.start_frame
        for join in truth.true_joins()
    )
