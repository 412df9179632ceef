"""Takes of numbered pictures, and cameras that move as said."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.takes import CAMERAS, RATE, Take, View, build_take, shown
from streamer.evaluate.manifest import load_manifest
from streamer.evaluate.single_clip import SingleClip
from tests.media import numbered_picture, numbered_video, read_number

MINUTE = int(60 * RATE)


def _views(kind: str) -> list[View]:
    return [*islice(CAMERAS[kind](random.Random(3)), MINUTE)]


def _numbers(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [read_number(frame.to_ndarray(format="rgb24")) for frame in frames]  # type: ignore[arg-type]


def test_a_view_of_all_shows_the_picture_and_a_flash_whitens_it() -> None:
    picture = numbered_picture(1234, 160, 96)
    np.testing.assert_array_equal(shown(picture, View()), picture)
    np.testing.assert_array_equal(shown(picture, View(light=1.0)), np.full_like(picture, 255))


@pytest.mark.parametrize(("across", "down"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_a_window_of_half_the_width_shows_a_quarter(across: int, down: int) -> None:
    picture = np.zeros((96, 160, 3), np.uint8)
    picture[48 * down : 48 * (down + 1), 80 * across : 80 * (across + 1)] = 255
    seen = shown(picture, View(2.0, across, down))
    assert seen.shape == picture.shape
    assert seen.mean() > 250


def test_a_turn_keeps_the_middle_and_moves_the_rim() -> None:
    picture = numbered_picture(5, 160, 96)
    picture[44:52, 76:84] = (250, 0, 0)
    seen = shown(picture, View(degrees=20.0))
    assert tuple(seen[48, 80]) == (250, 0, 0)
    assert (seen != picture).mean() > 0.1


def test_flashes_are_two_frames_every_five_seconds_or_so() -> None:
    lit = np.flatnonzero([view.light > 0 for view in _views("flash")])
    first = lit[::2]
    np.testing.assert_array_equal(lit[1::2], first + 1)
    assert ((np.diff(first) > 4 * RATE) & (np.diff(first) < 6.2 * RATE)).all()
    assert len(first) >= 9


def test_a_pan_takes_four_tenths_of_a_second_and_comes_back() -> None:
    across = np.array([view.across for view in _views("pan")])
    assert {across.min(), across.max()} == {0.0, 1.0}
    moving = np.flatnonzero(np.diff(across) != 0)
    pans = np.split(moving, np.flatnonzero(np.diff(moving) > 1) + 1)
    assert {len(pan) for pan in pans[:-1]} == {10}
    ends = [across[pan[-1] + 1] for pan in pans[:-1]]
    assert ends == [1.0, 0.0] * (len(ends) // 2) + [1.0] * (len(ends) % 2)
    assert len(ends) >= 14


def test_shaking_moves_in_every_frame_but_stays_inside() -> None:
    views = _views("shake")
    places = np.array([(view.across, view.down) for view in views])
    assert places.min() >= 0
    assert places.max() <= 1
    assert (np.diff(places, axis=0).any(axis=1)).mean() > 0.99
    assert 0.5 < np.std([view.degrees for view in views]) < 3


def test_a_long_take_drifts_everywhere_but_slowly() -> None:
    places = np.array([(view.across, view.down) for view in _views("long")])
    assert np.abs(np.diff(places, axis=0)).max() < 0.01
    assert places.min() < 0.05
    assert places.max() > 0.95


def test_a_take_is_played_forth_and_back_and_kept(tmp_path: Path) -> None:
    source = numbered_video(tmp_path / "numbers.mp4", frames=20)
    clips, take = [SingleClip(source)], Take("flash", "numbers.mp4", 2)
    manifest = build_take(clips, tmp_path, take)
    video, truth = load_manifest(manifest)
    numbers = _numbers(video)
    assert numbers == [*range(20), *reversed(range(20)), *range(10)]
    assert (truth.frames, truth.true_joins()) == (50, ())
    written = video.stat().st_mtime_ns
    assert build_take(clips, tmp_path, take) == manifest
    assert video.stat().st_mtime_ns == written
    video.unlink()
    build_take(clips, tmp_path, take)
    assert video.is_file()
