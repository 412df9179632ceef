"""Cut detectors: the same cuts however the frames arrive, and known cuts found."""

from collections.abc import Iterator
from concurrent.futures import Future
from itertools import groupby
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decode.interface import Pixels
from streamer.shots import AutoDetector, ContentDetector, Cut, CutDetector, TransNetV2Detector
from streamer_client.triton import ShotScores
from tests.frames import flat_frames

SHOT_COLOURS = [(200, 30, 30), (20, 180, 40), (30, 40, 220), (240, 240, 240), (5, 5, 5)]


def colour_shots(lengths: list[int]) -> Pixels:
    """Flat shots, each of the next colour."""
    return np.concatenate(
        [flat_frames(n, SHOT_COLOURS[i % len(SHOT_COLOURS)]) for i, n in enumerate(lengths)]
    )


def brightness_scores(window: Pixels) -> "Future[ShotScores]":
    """Stands for a model: both probabilities of a frame are its brightness."""
    future: Future[ShotScores] = Future()
    brightness = window[:, 0, 0, 0].astype(np.float32) / 255
    future.set_result(ShotScores(brightness, brightness))
    return future


def chunked(frames: Pixels, sizes: list[int]) -> Iterator[Pixels]:
    start = 0
    for size in sizes:
        yield frames[start : start + size]
        start += size
    yield frames[start:]


def cuts_of(detector: CutDetector, chunks: Iterator[Pixels]) -> list[Cut]:
    """All cuts; checks on the way that none comes before what was called decided."""
    cuts: list[Cut] = []
    decided = 0
    for evidence in (*map(detector.feed, chunks), detector.finish()):
        assert all(cut.end >= decided for cut in evidence.cuts)
        assert evidence.decided >= decided
        cuts, decided = [*cuts, *evidence.cuts], evidence.decided
    return cuts


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    sizes=st.lists(st.integers(0, 70), max_size=12),
)
def test_content_cuts_do_not_depend_on_chunks(lengths: list[int], sizes: list[int]) -> None:
    frames = colour_shots(lengths)
    whole = cuts_of(ContentDetector(), iter([frames]))
    assert cuts_of(ContentDetector(), chunked(frames, sizes)) == whole


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    sizes=st.lists(st.integers(0, 70), max_size=12),
    rate=st.sampled_from([12.0, 25.0, 60.0]),
)
def test_auto_cuts_do_not_depend_on_chunks(
    lengths: list[int], sizes: list[int], rate: float
) -> None:
    frames = colour_shots(lengths)
    whole = cuts_of(AutoDetector(rate), iter([frames]))
    assert cuts_of(AutoDetector(rate), chunked(frames, sizes)) == whole


@given(
    levels=st.lists(st.sampled_from([0, 90, 200]), min_size=1, max_size=260),
    sizes=st.lists(st.integers(0, 120), max_size=8),
)
def test_transnetv2_cuts_do_not_depend_on_chunks(levels: list[int], sizes: list[int]) -> None:
    frames = np.concatenate([flat_frames(1, (level,) * 3) for level in levels])
    whole = cuts_of(TransNetV2Detector(brightness_scores), iter([frames]))
    assert cuts_of(TransNetV2Detector(brightness_scores), chunked(frames, sizes)) == whole


@given(levels=st.lists(st.sampled_from([0, 200]), min_size=1, max_size=260))
def test_transnetv2_cuts_are_the_runs_above_the_threshold(levels: list[int]) -> None:
    frames = np.concatenate([flat_frames(1, (level,) * 3) for level in levels])
    cuts = cuts_of(TransNetV2Detector(brightness_scores), iter([frames]))
    runs = [
        [i for i, _ in run] for level, run in groupby(enumerate(levels), itemgetter(1)) if level
    ]
    hard = [Cut(run[0] + 1, run[-1] + 1) for run in runs if len(run) < 3]
    gradual = [Cut(run[0], run[-1] + 1) for run in runs if 3 <= len(run) <= 250]
    assert [cut for cut in cuts if cut.start - cut.end < 2] == hard
    assert set(gradual) <= set(cuts)


def test_content_finds_every_cut_between_long_shots() -> None:
    cuts = cuts_of(ContentDetector(), iter([colour_shots([20, 30, 15, 40])]))
    assert [cut.end for cut in cuts] == [20, 50, 65]


def test_content_merges_a_burst_into_its_last_cut() -> None:
    cuts = cuts_of(ContentDetector(), iter([colour_shots([30, 20, 8, 8, 8, 40])]))
    assert [cut.end for cut in cuts] == [30, 50, 74]


@pytest.mark.parametrize("detector", [ContentDetector(), TransNetV2Detector(brightness_scores)])
def test_no_frames_give_no_cuts(detector: CutDetector) -> None:
    assert cuts_of(detector, iter([flat_frames(0, (0, 0, 0))])) == []
