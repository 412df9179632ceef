"""The content detector against PySceneDetect: on the same frames, and on the same files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scenedetect
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.config import DecodeSettings
from streamer.decode import open_video
from streamer.decode.interface import SPARSE, Pixels
from streamer.shots import ContentDetector
from tests.media import shared_media

GOLDENS = json.loads(Path(__file__).with_name("goldens").joinpath("content.json").read_text())
THRESHOLDS = [20.0, 25.0, 27.0]
MIN_FRAMES = 15
ON_FRAMES = [
    "scenedetect/testvideo.mp4",
    "scenedetect/fades.mp4",
    "scenedetect/counter.mp4",
    "AvVDsFBc6bA.0.mp4",
    "h4RJ0Kv8n_Y.75.mp4",
    "lxoDR1ud464.8.mp4",
]

Golden = dict[str, Any]
Scores = NDArray[np.float64]


@cache
def small_frames(file: str) -> Pixels:
    with open_video(shared_media() / file, DecodeSettings(), SPARSE) as video:
        return np.concatenate([batch.small for batch in video.batches()])


def ours(frames: Pixels, threshold: float) -> tuple[list[int], Scores]:
    """Cuts and scores of the service's detector."""
    detector = ContentDetector(threshold, MIN_FRAMES)
    evidence = detector.feed(frames), detector.finish()
    cuts = [cut.start for each in evidence for cut in each.cuts]
    return cuts, ContentDetector().scores(frames)


def theirs(frames: Pixels, threshold: float) -> tuple[list[int], Scores]:
    """Cuts and scores of PySceneDetect's detector, fed with the same frames as BGR."""
    detector = scenedetect.ContentDetector(threshold, MIN_FRAMES)
    detector.stats_manager = stats = scenedetect.StatsManager()
    times = [scenedetect.FrameTimecode(index, fps=25.0) for index in range(len(frames))]
    found = [
        detector.process_frame(time, np.ascontiguousarray(frame[..., ::-1]))
        for time, frame in zip(times, frames, strict=True)
    ]
    scores = [0.0, *(stats.get_metrics(time, ["content_val"])[0] for time in times[1:])]
    return [cut.frame_num for cuts in found for cut in cuts], np.array(scores)


def assert_same(frames: Pixels, threshold: float) -> None:
    our_cuts, our_scores = ours(frames, threshold)
    their_cuts, their_scores = theirs(frames, threshold)
    # A score on the threshold may fall to either side: the two add up in another order.
    assume(not np.isclose(their_scores, threshold, rtol=0, atol=1e-9).any())
    np.testing.assert_allclose(our_scores, their_scores, rtol=0, atol=1e-9)
    assert our_cuts == their_cuts


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("file", ON_FRAMES)
def test_videos_give_the_same_cuts_and_scores(file: str, threshold: float) -> None:
    assert_same(small_frames(file), threshold)


def pictures(segments: list[tuple[int, int, int]]) -> Iterator[Pixels]:
    """Frames of segments, each a random picture of some contrast under some noise."""
    for seed, (length, contrast, noise) in enumerate(segments):
        random = np.random.default_rng(seed)
        shape = (SPARSE.height, SPARSE.width, 3)
        picture = random.integers(-contrast, contrast + 1, shape) + random.integers(60, 196, 3)
        flicker = random.integers(-noise, noise + 1, (length, *shape))
        yield np.clip(picture + flicker, 0, 255).astype(np.uint8)


BURST = [(20, 90, 0), (20, 90, 0), (8, 90, 0), (8, 90, 0), (8, 90, 0), (40, 90, 0)]
SEGMENTS = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 120), st.integers(0, 60)), min_size=1, max_size=8
)


@settings(max_examples=60, deadline=None)
@example(segments=BURST, threshold=27.0)
@given(segments=SEGMENTS, threshold=st.sampled_from(THRESHOLDS))
def test_random_frames_give_the_same_cuts_and_scores(
    segments: list[tuple[int, int, int]], threshold: float
) -> None:
    assert_same(np.concatenate([*pictures(segments)]), threshold)


def test_the_burst_among_them_is_merged() -> None:
    cuts, _ = ours(np.concatenate([*pictures(BURST)]), 27.0)
    assert cuts == [20, 40, 64]


def test_the_goldens_were_made_with_the_parameters_compared() -> None:
    assert (GOLDENS["threshold"], GOLDENS["min_frames"]) == (27.0, MIN_FRAMES)
    assert GOLDENS["pyscenedetect"] == scenedetect.__version__
    assert sum(len(video["cuts"]) for video in GOLDENS["videos"]) > 40


@pytest.mark.parametrize(
    ("file", "cuts"), [("testvideo", [30, 180, 394]), ("fades", []), ("counter", [])]
)
def test_the_peers_own_videos_are_cut_where_it_cuts_them(file: str, cuts: list[int]) -> None:
    [golden] = [each for each in GOLDENS["videos"] if each["file"] == f"scenedetect/{file}.mp4"]
    frames = small_frames(golden["file"])
    assert len(frames) == golden["frames"]
    assert ours(frames, GOLDENS["threshold"])[0] == golden["cuts"] == cuts


def matched(one: list[int], other: list[int]) -> int:
    """How many of two ordered lists pair up within a frame."""
    pairs, left = 0, [*other]
    for cut in one:
        near = next((each for each in left if abs(each - cut) <= 1), None)
        if near is not None:
            left.remove(near)
            pairs += 1
    return pairs


Decision = tuple[str, int, float, float]


def decided_otherwise(golden: Golden, scores: Scores) -> list[Decision]:
    """Frames that only one of the two puts above the threshold: file, frame, their score, ours."""
    noted = {int(frame): score for frame, score in golden["scores"].items()}
    peer = np.array([noted.get(frame, 0.0) for frame in range(len(scores))])
    differ = np.flatnonzero((peer >= GOLDENS["threshold"]) != (scores >= GOLDENS["threshold"]))
    return [(golden["file"], int(i), float(peer[i]), float(scores[i])) for i in differ]


def test_other_videos_are_cut_where_the_peer_cuts_them() -> None:
    agreed = every = 0
    differ: list[Decision] = []
    for golden in GOLDENS["videos"]:
        cuts, scores = ours(small_frames(golden["file"]), GOLDENS["threshold"])
        pairs = matched(golden["cuts"], cuts)
        agreed, every = agreed + pairs, every + len(cuts) + len(golden["cuts"]) - pairs
        differ += decided_otherwise(golden, scores)
    assert agreed >= 0.95 * every, differ
    # Frames are compared, since one that is decided otherwise moves the cut of a whole burst.
    near = GOLDENS["threshold"] / 10
    assert all(abs(theirs - GOLDENS["threshold"]) <= near for _, _, theirs, _ in differ), differ
