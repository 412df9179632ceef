"""The sample reel shows what it says: each photograph, cut and faded where it claims."""

from __future__ import annotations

import itertools
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import UsageError
from streamer.sample_reel import SampleReel, make_sample_reel
from tests.decode.reading import Decoded

MIN_SHOT_SECONDS = 2.5


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> SampleReel:
    pytest.importorskip("skimage", reason="the photographs come with streamer[embedded]")
    return make_sample_reel(tmp_path_factory.mktemp("reel") / "reel.mp4")


@pytest.fixture(scope="module")
def video(reel: SampleReel) -> Decoded:
    return Decoded(reel.path)


def test_the_file_is_as_stated(reel: SampleReel, video: Decoded) -> None:
    assert len(video.small) == reel.frames
    assert (video.info.width, video.info.height) == (640, 360)
    assert video.info.average_rate == Fraction(25)
    assert video.damage is None


def test_frames_jump_at_the_cuts_and_nowhere_else(reel: SampleReel, video: Decoded) -> None:
    small = np.stack(video.small).astype(int)
    jumps = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2, 3))
    assert {int(index) + 1 for index in np.flatnonzero(jumps > 25)} == set(reel.cuts)


def test_the_fade_mixes_two_photographs(reel: SampleReel, video: Decoded) -> None:
    small = np.stack(video.small).astype(float)
    start, end = reel.fade
    before, after = small[start - 1], small[end]
    middle = small[(start + end) // 2]
    apart = np.abs(before - after).mean()
    assert apart > 25
    assert np.abs(middle - (before + after) / 2).mean() < apart / 4


def test_each_shot_is_long_enough_for_a_clip(reel: SampleReel) -> None:
    edges = sorted([0, *reel.cuts, *reel.fade, reel.frames])
    lengths = {b - a for a, b in itertools.pairwise(edges)} - {15}
    assert len(reel.cuts) + 2 == len(reel.photographs)
    assert min(lengths) / 25 >= MIN_SHOT_SECONDS
    assert all(photograph.credit for photograph in reel.photographs)


def test_it_is_the_same_every_time_and_tells_progress(reel: SampleReel, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    again = make_sample_reel(tmp_path / "again.mp4", lambda *call: calls.append(call))
    assert again.path.read_bytes() == reel.path.read_bytes()
    assert calls == [(count + 1, reel.frames) for count in range(reel.frames)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["again.mp4"]


def test_without_scikit_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(UsageError, match=r"streamer\[embedded\]"):
        make_sample_reel(tmp_path / "reel.mp4")
