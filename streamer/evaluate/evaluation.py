"""The whole of it: every splitter on every video, compared, measured and explained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamer.config import Settings
from streamer.errors import Unavailable, UsageError
from streamer.evaluate.diagnosis import Mistake, mistakes
from streamer.evaluate.figures import Figures, figures_of
from streamer.evaluate.manifest import Manifest
from streamer.evaluate.measurement import Compared, Measurement, Scale, compare, measure, pool
from streamer.evaluate.ours import split_into_shots, split_video
from streamer.evaluate.peers import load_scenedetect, split_with_pyscenedetect
from streamer.evaluate.running import RunningDistances, measure_running
from streamer.evaluate.split import Split
from streamer_client.errors import ModelError
from streamer_client.triton import TritonModels

OURS = "streamer"
PEERS = ("pyscenedetect", "transnetv2", "panda")

Progress = Callable[[str, int], None]
"""Told what is being done, and how many frames were done since it was called last."""


@dataclass(frozen=True)
class Outcome:
    """One splitter on one video."""

    manifest: Path
    truth: Manifest
    compared: Compared
    measurement: Measurement
    mistakes: tuple[Mistake, ...]

    @property
    def method(self) -> str:
        """Name of the splitter."""
        return self.compared.split.method

    @property
    def figures(self) -> Figures:
        """Of this video alone."""
        return figures_of(self.measurement)


def passes(peers: Sequence[str]) -> int:
    """How many times each video is decoded: once per splitter, and once for the distances."""
    return len(peers) + 2


def evaluate(
    videos: Sequence[tuple[Path, Path, Manifest]],
    peers: Sequence[str],
    models: TritonModels,
    settings: Settings,
    scale: Scale,
    progress: Progress,
) -> Iterator[Outcome]:
    """Split every video in every way; outcomes as they come, those of a video together.

    Args:
        videos: manifest's path, video's path, and the truth.
        peers: names from ``PEERS``, compared with the splitting of ``settings``.
        models: the connection to Triton.
        settings: detector, preset, thresholds.
        scale: what counts as right.
        progress: told of every batch of frames.

    Raises:
        StreamerError: if a video or the models fail.
    """
    try:
        yield from _outcomes(videos, peers, models, settings, scale, progress)
    except ModelError as error:
        raise Unavailable(f"{error}; check the models with `streamer models check`") from error


def check_peers(names: Sequence[str]) -> None:
    """Find out early that one cannot be run.

    Raises:
        UsageError: if there is no such peer, or it is not installed.
    """
    for name in names:
        if name not in PEERS:
            raise UsageError(f"there is no peer {name!r}; there are {', '.join(PEERS)}")
    if "pyscenedetect" in names:
        load_scenedetect()


def _outcomes(
    videos: Sequence[tuple[Path, Path, Manifest]],
    peers: Sequence[str],
    models: TritonModels,
    settings: Settings,
    scale: Scale,
    progress: Progress,
) -> Iterator[Outcome]:
    for manifest, video, truth in videos:
        running = measure_running(
            video, models, settings, lambda frames: progress("distances", frames)
        )
        for method in (OURS, *peers):
            split = split_by(method, video, truth, models, settings, progress)
            yield judge(manifest, truth, split, running, scale)


def split_by(
    method: str,
    video: Path,
    truth: Manifest,
    models: TritonModels,
    settings: Settings,
    progress: Progress,
) -> Split:
    """Split one video by one splitter: ``OURS``, or one of ``PEERS``.

    Args:
        method: which.
        video: the file.
        truth: of which the number of frames counts.
        models: the connection to Triton.
        settings: detector, preset, thresholds; of ours.
        progress: told of every batch of frames.

    Raises:
        StreamerError: if the video or the models fail.
    """

    def advance(frames: int) -> None:
        progress(method, frames)

    if method == "pyscenedetect":
        split = split_with_pyscenedetect(video, truth.frames)
        advance(split.total)
        return split
    if method == "transnetv2":
        return split_into_shots(video, models, settings, method, advance)
    if method == "panda":
        settings = settings.with_section("split", preset="panda-released", detector="content")
    return split_video(video, models, settings, method, advance)


def judge(
    manifest: Path, truth: Manifest, split: Split, running: RunningDistances, scale: Scale
) -> Outcome:
    """Compare a split with the truth, measure it, and explain what is wrong."""
    compared = compare(split, truth, scale)
    measurement = measure(compared, truth, running)
    return Outcome(manifest, truth, compared, measurement, mistakes(compared, truth, scale))


def overall(outcomes: Sequence[Outcome]) -> dict[str, Figures]:
    """Figures of each splitter over all videos, pooled."""
    methods = dict.fromkeys(outcome.method for outcome in outcomes)
    return {
        method: figures_of(pool(each.measurement for each in outcomes if each.method == method))
        for method in methods
    }


def as_json(outcomes: Sequence[Outcome], scale: Scale) -> dict[str, Any]:
    """Everything, for machines: overall figures, and per video figures, clips and mistakes."""
    return {
        "scale": asdict(scale),
        "overall": {method: asdict(figures) for method, figures in overall(outcomes).items()},
        "videos": [_entry(outcome) for outcome in outcomes],
    }


def _entry(outcome: Outcome) -> dict[str, Any]:
    return {
        "manifest": str(outcome.manifest),
        "method": outcome.method,
        "figures": asdict(outcome.figures),
        "clips": [[clip.start, clip.end] for clip in outcome.compared.split.clips],
        "boundaries": [boundary.place for boundary in outcome.compared.boundaries],
        "mistakes": [asdict(mistake) for mistake in outcome.mistakes],
    }
