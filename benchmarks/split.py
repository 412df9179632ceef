"""How well videos are split: events found and falsely found, against peers, and at what speed.

Run ``make bench-split``, or ``python -m benchmarks.split`` in the project's root. On two cores
with other work it took half an hour, half of it to make the videos; ``--folder`` keeps them for the
next time. ``--quick`` takes one frame rate, one length of fade and one take of a kind.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from benchmarks import decode, reels
from benchmarks.figures import Bar, Figure, quotients
from benchmarks.footage import Scope, Videos, build
from benchmarks.media import REAL_REEL
from benchmarks.processes import OthersShare
from benchmarks.report import report
from benchmarks.splitter import Splitter, explained, false_places, progress
from benchmarks.takes import Take
from streamer.config import Settings
from streamer.decode import open_video
from streamer.embedded.services import local_triton
from streamer.evaluate.evaluation import OURS, PEERS, check_peers, overall
from streamer.evaluate.manifest import load_manifest
from streamer.evaluate.matching import match
from streamer.evaluate.peers import split_with_pyscenedetect
from streamer.evaluate.single_clip import load_clips
from streamer.models.cache import cached_repository
from streamer.shots import ContentDetector, small_format
from streamer_client.triton import TritonModels

SPEED_RUNS = 3
CONTENT_THRESHOLD = 27.0  # PySceneDetect's own
HARD_BAR, GRADUAL_BAR = Bar(0.97, at_least=True), Bar(0.93, at_least=True)
PER_SECONDS = 180.0
FALSE_BAR = Bar(1)
DECODE_BARS = {
    "decode and content together ÷ decoding alone": Bar(0.80, at_least=True),
    "decode and content together ÷ PySceneDetect": Bar(1.4, at_least=True),
}
KINDS = {"fade": "cross-fades", "dip": "dips to black", "wipe": "wipes"}
SCENES = {
    "flash": "camera flashes",
    "pan": "fast pans",
    "shake": "handheld shake",
    "long": "a long take",
}


def main() -> int:
    """Measure, print, and return 1 if a bar is missed."""
    arguments = _arguments()
    if not (REAL_REEL.is_file() and reels.CLIPS.is_file()):
        progress.print(f"there are no real clips in {REAL_REEL.parent}")
        return 1
    check_peers(PEERS)
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as passing:
        folder = arguments.folder or Path(passing)
        videos = build(folder, Scope.of(arguments.quick), progress.print)
        figures, notes = _measure(videos, Path(passing), 1 if arguments.quick else SPEED_RUNS)
    return report(figures, notes, as_markdown=arguments.markdown)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="write Markdown")
    parser.add_argument("--quick", action="store_true", help="measure on less")
    parser.add_argument("--folder", type=Path, help="keep the videos here, and take them from here")
    return parser.parse_args()


def _measure(videos: Videos, logs: Path, runs: int) -> tuple[list[Figure], list[str]]:
    with ExitStack() as services:
        triton = local_triton(Settings(), cached_repository("offline"), logs)
        settings = services.enter_context(triton)
        connection = TritonModels(settings.triton.url, settings.triton.timeout_seconds)
        splitter = Splitter(services.enter_context(connection), settings)
        hard = _hard_cuts(splitter, videos.hard)
        gradual, notes = _gradual(splitter, videos.gradual)
        false = _false_boundaries(splitter, videos.takes)
        others = OthersShare()
        real = _real_reel(splitter, runs)
        share = others.so_far()
        peers = [_peer(splitter, name) for name in PEERS]
    figures = [real[0], *hard, *gradual, *false, *real[1:], *peers, _content(settings)]
    notes.append(_material(videos))
    notes.append(f"others took {share:.0%} of the processors while auto and transnetv2 were timed")
    return [*figures, *_decoding(settings, runs)], notes


def _material(videos: Videos) -> str:
    events = len(load_manifest(next(iter(videos.hard.values())))[1].events)
    width, height = reels.SIZE
    return (
        f"made of real clips, {width}x{height}: reels of {events} events each, gradual joins at "
        f"25 frames/s; {len(videos.takes)} videos of one take; default preset, offline models"
    )


def _hard_cuts(splitter: Splitter, manifests: dict[float, Path]) -> list[Figure]:
    figures = []
    for rate, manifest in manifests.items():
        f1 = explained(splitter.split(manifest)).figures.f1
        figures.append(_f1(f"event F1, hard cuts, {rate:.4g} frames/s", f1, HARD_BAR))
    return figures


def _gradual(
    splitter: Splitter, manifests: dict[tuple[str, float], Path]
) -> tuple[list[Figure], list[str]]:
    """F1 by kind, over all lengths; and a note on each length."""
    figures, notes = [], []
    for kind, group in groupby(manifests.items(), key=lambda each: each[0][0]):
        lengths, paths = zip(*((key[1], path) for key, path in group), strict=True)
        outcomes = [explained(splitter.split(path)) for path in paths]
        by_length = zip(lengths, outcomes, strict=True)
        each = ", ".join(f"{length:g} s {outcome.figures.f1:.3f}" for length, outcome in by_length)
        notes.append(f"event F1 of {KINDS[kind]}: {each}")
        f1 = overall(outcomes)[OURS].f1
        figures.append(_f1(f"event F1, {KINDS[kind]}", f1, GRADUAL_BAR))
    return figures, notes


def _false_boundaries(splitter: Splitter, manifests: dict[Take, Path]) -> list[Figure]:
    """By kind, over all takes; no clip is left out as still, which would hide them."""
    figures, full_seconds = [], splitter.full_seconds()
    for kind, group in groupby(manifests.items(), key=lambda each: each[0].kind):
        count, seconds = 0, 0
        for take, manifest in group:
            outcome = explained(splitter.split(manifest, keeps_still=True))
            count += len(false_places(outcome, full_seconds))
            seconds += take.seconds
        value = count * PER_SECONDS / seconds
        name = f"false boundaries in 3 minutes, {SCENES[kind]}"
        figures.append(Figure(name, (value,), "", 2, FALSE_BAR))
    return figures


def _real_reel(splitter: Splitter, runs: int) -> list[Figure]:
    """The real reel with the default detector, and with TransNetV2 on every frame, in turn."""
    manifest = REAL_REEL.with_suffix(".json")
    pairs = [
        (splitter.split(manifest), splitter.split(manifest, detector="transnetv2"))
        for _ in range(runs)
    ]
    auto, full = ([each.figures for each in outcomes] for outcomes in zip(*pairs, strict=True))
    explained(pairs[0][0])
    late = tuple(float(each.boundary_latency or 0) for each in auto)
    speeds = [[each.frames_per_second for each in figures] for figures in (auto, full)]
    behind = auto[0].f1 - full[0].f1
    return [
        _f1("event F1, hard cuts, real reel", auto[0].f1, HARD_BAR),
        Figure("boundary latency, real reel, median", late, "frames", 0, Bar(150)),
        _f1("F1 of auto - F1 of transnetv2", behind, Bar(-0.01, at_least=True)),
        Figure("speed of auto ÷ transnetv2", quotients(*speeds), "", 1, Bar(5, at_least=True)),
        *(
            Figure(f"{name}, decoding and stitching included", tuple(speed), "frames/s", 0)
            for name, speed in zip(("auto", "transnetv2"), speeds, strict=True)
        ),
    ]


def _peer(splitter: Splitter, name: str) -> Figure:
    outcome = splitter.split(REAL_REEL.with_suffix(".json"), name)
    return _f1(f"peer {name}: event F1, real reel", outcome.figures.f1, None)


def _content(settings: Settings) -> Figure:
    """Of all cuts that either detector finds, the share that both find, at most a frame apart."""
    both = either = 0
    for video in (*(clip.path for clip in load_clips(reels.CLIPS)), REAL_REEL):
        ours, frames = _content_cuts(video, settings)
        theirs = [clip.start for clip in split_with_pyscenedetect(video, frames).clips[1:]]
        pairs = len(match(theirs, ours, [1.0] * len(theirs)).pairs)
        both, either = both + pairs, either + len(ours) + len(theirs) - pairs
        progress.print(f"{video.name}: content finds {len(ours)}, PySceneDetect {len(theirs)}")
    name = f"content: cuts within a frame of PySceneDetect's, of {either}"
    return Figure(name, (both / max(either, 1),), "", 3, Bar(0.95, at_least=True))


def _content_cuts(path: Path, settings: Settings) -> tuple[list[int], int]:
    """First frames after the cuts, and the number of frames."""
    detector, cuts, frames = ContentDetector(CONTENT_THRESHOLD), list[int](), 0
    with open_video(path, settings.decode, small_format("content")) as video:
        for batch in video.batches():
            cuts += [cut.start for cut in detector.feed(batch.small).cuts]
            frames += len(batch)
    return [*cuts, *(cut.start for cut in detector.finish().cuts)], frames


def _decoding(settings: Settings, runs: int) -> list[Figure]:
    progress.print("decoding alone, with the content detector, and by PySceneDetect")
    measured = {each.name: each for each in decode.measure(REAL_REEL, settings.decode, runs)}
    return [replace(measured[name], bar=bar) for name, bar in DECODE_BARS.items()]


def _f1(name: str, value: float, bar: Bar | None) -> Figure:
    return Figure(name, (value,), "", 3, bar)


if __name__ == "__main__":
    raise SystemExit(main())
