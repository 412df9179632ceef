"""Videos that are hardly videos: split sensibly, within bounds, and what is lost is counted."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.config import DecodeSettings, SplitSettings
from streamer.decode import FrameBatch, open_video
from streamer.decode.interface import Pixels, Sample
from streamer.errors import JobRejected
from streamer.evaluate.movie import write_movie
from streamer.shots import AutoDetector, find_shots
from streamer.stitch import Clip, probe_shots, rules_for, settle_doubts, stitch
from streamer_client.triton import ShotScores
from tests.media import Coding, flat_picture, write_video
from tests.pictures import Scene

DISTANCES = {
    "stitch_distance": "0.3",
    "event_distance": "0.3",
    "transition_distance": "0.5",
    "still_distance": "0.001",
    "repeat_distance": "0.1",
}
RULES = rules_for(SplitSettings(), DISTANCES)


def looks(images: Pixels) -> Future[NDArray[np.float32]]:
    """Stands for the embedder: mean colours of four parts, as a unit vector."""
    height, width = images.shape[1] // 2, images.shape[2] // 2
    parts = [images[:, y : y + height, x : x + width] for y in (0, height) for x in (0, width)]
    means = np.concatenate([part.mean(axis=(1, 2)) for part in parts], axis=1) + 1.0
    future: Future[NDArray[np.float32]] = Future()
    future.set_result((means / np.linalg.norm(means, axis=1)[:, None]).astype(np.float32))
    return future


def no_cuts(window: Pixels) -> Future[ShotScores]:
    """Stands for TransNetV2 that never sees a cut."""
    future: Future[ShotScores] = Future()
    future.set_result(ShotScores(*np.zeros((2, len(window)), np.float32)))
    return future


def split(batches: Iterable[FrameBatch], rate: float, dropped: Counter[str]) -> Iterator[Clip]:
    shots = find_shots(batches, AutoDetector(rate), RULES.long_shots)
    probed = probe_shots(shots, looks, RULES.probes, dropped)
    return stitch(settle_doubts(probed, RULES, no_cuts), RULES, 8, dropped)


def split_file(path: Path) -> tuple[list[Clip], Counter[str], int]:
    """Clips, what was dropped, and the frames decoded; checks what always holds."""
    dropped: Counter[str] = Counter()
    frames = 0

    def counted(batches: Iterable[FrameBatch]) -> Iterator[FrameBatch]:
        nonlocal frames
        for batch in batches:
            frames = batch.end_index
            yield batch

    with open_video(path, DecodeSettings(threads=2)) as video:
        clips = list(split(counted(video.batches()), float(video.info.average_rate), dropped))
    spans = [clip.span for clip in clips]
    assert all(a.end_frame <= b.start_frame and a.end <= b.start for a, b in pairwise(spans))
    edges = [0, *(e for span in spans for e in (span.start_frame, span.end_frame)), frames]
    assert edges == sorted(edges)
    gaps = sum(a < b for a, b in zip(edges[::2], edges[1::2], strict=True))
    assert gaps <= sum(dropped.values())
    return clips, dropped, frames


@pytest.mark.parametrize("colour", [(0, 0, 0), (120, 90, 30)])
def test_a_video_of_one_picture_is_still(colour: tuple[int, int, int], tmp_path: Path) -> None:
    path = write_video(tmp_path / "still.mp4", [flat_picture(colour, 160, 96)] * 200, Coding())
    clips, dropped, frames = split_file(path)
    assert (clips, dropped, frames) == ([], {"clip_still": 1}, 200)


def test_one_frame_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", [flat_picture((9, 9, 9), 160, 96)], Coding())
    with pytest.raises(JobRejected) as refusal:
        split_file(path)
    assert refusal.value.kind == "single_frame"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(JobRejected, match="not a video"):
        split_file(tmp_path / "empty.mp4")


def test_a_thousand_cuts_in_a_minute(tmp_path: Path) -> None:
    scenes = [Scene(seed).picture(40) for seed in range(40)]
    pictures = [np.kron(scenes[i * 2 // 3 % 40], np.ones((4, 4, 1), np.uint8)) for i in range(1500)]
    write_movie(tmp_path / "cuts.mp4", pictures, Fraction(25), (192, 108))
    clips, _, frames = split_file(tmp_path / "cuts.mp4")
    assert frames == 1500
    assert sum(clip.span.end_frame - clip.span.start_frame for clip in clips) > 1000


@pytest.mark.parametrize("rate", [12, 120])
def test_slow_and_fast_frame_rates(rate: int, tmp_path: Path) -> None:
    takes = np.concatenate([Scene(seed).take(3 * rate, speed=3 / rate) for seed in (1, 2, 3)])
    pictures = [np.kron(picture, np.ones((4, 4, 1), np.uint8)) for picture in takes]
    write_movie(tmp_path / "v.mp4", pictures, Fraction(rate), (192, 108))
    clips, dropped, frames = split_file(tmp_path / "v.mp4")
    assert [clip.span.start_frame for clip in clips] == [0, 3 * rate, 6 * rate]
    assert (dict(dropped), frames) == ({}, 9 * rate)


def test_gaps_in_time_lie_inside_clips() -> None:
    """Frames of one take, with a pause of 5 s that no frame is in."""
    takes = Scene(4).take(200, speed=0.2)
    ticks = np.arange(201) * 40 + np.where(np.arange(201) > 100, 5000, 0)
    base = Fraction(1, 1000)
    batches = (
        FrameBatch(
            i, ticks[i : i + 26].astype(np.int64), base, takes[i : i + 25],
            tuple(Sample(j, int(ticks[j]) * base, takes[j]) for j in range(i, i + 25, 6)),
        )
        for i in range(0, 200, 25)
    )  # fmt: skip
    [clip] = split(batches, 25.0, Counter())
    assert [clip.span.start, clip.span.end] == [Fraction(0), Fraction(13)]


def endless(hours: float) -> Iterator[FrameBatch]:
    """One shot of a slowly moving camera, a frame a second."""
    pictures = np.stack([Scene(5).picture(30 + 10 * np.sin(i / 100)) for i in range(640)])
    base, total = Fraction(1), int(hours * 3600)
    for first in range(0, total, 32):
        times = np.arange(first, first + 33, dtype=np.int64)
        small = pictures[np.arange(first, first + 32) % 640]
        yield FrameBatch(first, times, base, small, (Sample(first, first * base, small[0]),))


def test_ten_hours_of_one_shot_need_no_more_memory_than_one() -> None:
    peaks = []
    for hours in (1, 10):
        tracemalloc.start()
        spans = [clip.span for clip in split(endless(hours), 1.0, Counter())]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert all(a.end == b.start for a, b in pairwise(spans))
        assert max(span.seconds for span in spans) <= RULES.max_seconds
        assert len(spans) == pytest.approx(hours * 3600 / 300, abs=1)
    assert peaks[1] < 1.5 * peaks[0] + 1_000_000
