"""Each frame comes out once, in order and right side up, whatever the codec and container."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streamer.config import DecodeSettings
from streamer.decode import AVERAGED, SPARSE, SmallFormat
from streamer.evaluate.movie import write_movie
from tests.decode.reading import Decoded
from tests.media import (
    Coding,
    flat_picture,
    numbered_picture,
    numbered_video,
    read_number,
    shared_media,
    write_video,
)

FORMATS = {
    "h264.mp4": Coding(),
    "h264-no-b.mp4": Coding(b_frames=0),
    "h264-fragmented.mp4": Coding(muxing={"movflags": "frag_keyframe+empty_moov"}),
    "h264-10bit.mp4": Coding(pix_fmt="yuv420p10le"),
    "h264-444.mp4": Coding(pix_fmt="yuv444p"),
    "h264-gray.mp4": Coding(pix_fmt="gray"),
    "h264-rgb.mp4": Coding("libx264rgb", "rgb24"),
    "h264.mkv": Coding(),
    "h264.ts": Coding(),
    "h264.flv": Coding(),
    "h264.avi": Coding(),
    "h264.h264": Coding(),
    "hevc.mp4": Coding("libx265", options={"x265-params": "log-level=none"}),
    "mpeg4.avi": Coding("mpeg4"),
    "mpeg2.mpg": Coding("mpeg2video"),
    "prores.mov": Coding("prores_ks", "yuv422p10le"),
    "mjpeg.avi": Coding("mjpeg", "yuvj420p", full_range=True, b_frames=0),
    "vp8.webm": Coding("libvpx"),
    "vp9.webm": Coding("libvpx-vp9"),
    "vp9.ivf": Coding("libvpx-vp9"),
    "alpha.mkv": Coding("ffv1", "bgra"),
    "palette.gif": Coding("gif", "rgb8", Fraction(10)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_frame_once_and_in_order(name: str, tmp_path: Path) -> None:
    video = Decoded(numbered_video(tmp_path / name, 75, coding=FORMATS[name]))
    assert video.numbers == list(range(75))
    assert [read_number(sample.pixels) for sample in video.samples] == [
        sample.index for sample in video.samples
    ]
    assert video.damage is None
    assert (video.info.width, video.info.height) == (160, 96)
    assert video.end - video.starts[0] == pytest.approx(75 / FORMATS[name].rate, abs=0.05)


def test_batches_join_without_gaps(tmp_path: Path) -> None:
    batches = Decoded(numbered_video(tmp_path / "v.mp4", 75)).batches
    assert [len(batch) for batch in batches] == [32, 32, 11]
    for before, after in itertools.pairwise(batches):
        assert after.first_index == before.end_index
        assert after.times[0] == before.times[-1]


@pytest.mark.parametrize("small", [AVERAGED, SPARSE])
def test_only_averaged_frames_are_calm_where_pixels_differ(
    small: SmallFormat, tmp_path: Path
) -> None:
    random = np.random.default_rng(1)
    noise = [random.integers(0, 256, (540, 960), np.uint8) for _ in range(4)]
    pictures = [np.repeat(grey[..., None], 3, axis=2) for grey in noise]
    write_movie(tmp_path / "noise.mp4", pictures, Fraction(25), (960, 540))
    spread = np.stack(Decoded(tmp_path / "noise.mp4", small=small).small).std()
    assert spread < 15 if small.is_averaged else spread > 30


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_change_the_pictures(threads: int, tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 40)
    one = Decoded(path, DecodeSettings(threads=1))
    other = Decoded(path, DecodeSettings(threads=threads))
    assert np.array_equal(np.stack(one.small), np.stack(other.small))
    assert one.starts == other.starts


@pytest.mark.parametrize("small", [AVERAGED, SPARSE])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_display_matrix_turns_small_frames_and_samples(
    rotation: int, mirrored: bool, small: SmallFormat, tmp_path: Path
) -> None:
    coding = Coding(rotation=rotation, mirrored=mirrored)
    path = numbered_video(tmp_path / "v.mp4", 20, (160, 96), coding)
    video = Decoded(path, small=small)
    assert video.small[0].shape == (small.height, small.width, 3)
    assert (video.info.width, video.info.height) == (
        (160, 96) if rotation % 180 == 0 else (96, 160)
    )
    for pictures in (video.small, [sample.pixels for sample in video.samples]):
        upright = [np.rot90(p[:, ::-1] if mirrored else p, -rotation // 90) for p in pictures]
        expected = range(20) if len(upright) == 20 else [sample.index for sample in video.samples]
        assert [read_number(picture) for picture in upright] == list(expected)


@pytest.mark.parametrize(
    ("size", "pixel_shape", "shown", "sample"),
    [
        ((640, 360), None, (640, 360), (320, 180)),
        ((360, 640), None, (360, 640), (180, 320)),
        ((161, 97), None, (161, 97), (160, 96)),
        ((720, 576), Fraction(64, 45), (1024, 576), (320, 180)),
        ((160, 96), Fraction(4, 3), (213, 96), (160, 72)),
        ((160, 96), Fraction(3, 4), (120, 96), (120, 96)),
        ((1600, 32), None, (1600, 32), (720, 14)),
        ((160, 96), Fraction(1, 1000), (160, 96), (160, 96)),
    ],
)
def test_sizes(
    size: tuple[int, int],
    pixel_shape: Fraction | None,
    shown: tuple[int, int],
    sample: tuple[int, int],
    tmp_path: Path,
) -> None:
    coding = Coding(pix_fmt="yuv444p", pixel_shape=pixel_shape)
    path = numbered_video(tmp_path / "v.mp4", 3, size, coding)
    video = Decoded(path, DecodeSettings(sample_short_side=180))
    assert (video.info.width, video.info.height) == shown
    assert video.samples[0].pixels.shape == (sample[1], sample[0], 3)
    assert video.samples[0].pixels.flags.c_contiguous


def test_one_sided_turn_swaps_the_sample_as_well(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 3, (640, 360), Coding(rotation=90))
    video = Decoded(path, DecodeSettings(sample_short_side=180))
    assert video.samples[0].pixels.shape == (320, 180, 3)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 9])
def test_tagged_colours_are_kept(matrix: int, full_range: bool, tmp_path: Path) -> None:
    coding = Coding(pix_fmt="yuv444p", matrix=matrix, full_range=full_range, tagged=True)
    _assert_colours(coding, (160, 96), tmp_path)


@pytest.mark.parametrize(("matrix", "size"), [(5, (320, 240)), (1, (1280, 720))])
def test_untagged_colours_go_by_the_size(
    matrix: int, size: tuple[int, int], tmp_path: Path
) -> None:
    _assert_colours(Coding(pix_fmt="yuv444p", matrix=matrix), size, tmp_path)


def _assert_colours(coding: Coding, size: tuple[int, int], tmp_path: Path) -> None:
    for colour in ((255, 0, 0), (0, 255, 0), (30, 60, 220), (128, 128, 128)):
        video = Decoded(write_video(tmp_path / "c.mp4", [flat_picture(colour, *size)] * 2, coding))
        for picture in (video.small[0], video.samples[0].pixels):
            assert np.abs(picture.astype(int) - colour).max() <= 3


def test_small_frames_are_area_averages(tmp_path: Path) -> None:
    # Fine stripes: whatever skips pixels sees black or white where the average is gray.
    stripes = np.zeros((360, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    video = Decoded(write_video(tmp_path / "v.mkv", [stripes] * 2, Coding("ffv1", "bgr0")))
    assert np.abs(video.small[0].astype(int) - 128).max() < 16


def test_size_change_in_mid_stream(tmp_path: Path) -> None:
    first = numbered_video(tmp_path / "a.h264", 20, (160, 96), Coding(b_frames=0))
    second = numbered_video(tmp_path / "b.h264", 20, (320, 192), Coding(b_frames=0))
    joined = tmp_path / "joined.h264"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    video = Decoded(joined)
    assert video.numbers == [*range(20), *range(20)]
    assert {sample.pixels.shape for sample in video.samples} == {(96, 160, 3)}


def test_numbers_survive_in_pictures_themselves() -> None:
    for number in (0, 1, 5, 1000, 4095):
        assert read_number(numbered_picture(number, 161, 97)) == number


def test_real_videos_are_whole_and_undamaged() -> None:
    for path in sorted(shared_media().rglob("*.mp4")):
        if path.name.startswith("reel"):
            continue  # the same material, minutes of it
        video = Decoded(path)
        assert video.damage is None, path.name
        assert video.repaired_times == 0, path.name
        # testvideo.mp4 states 20 ticks less than its frames last.
        assert video.info.duration is not None
        assert video.end == pytest.approx(video.info.duration, abs=1 / 1000), path.name


def test_counter_has_its_thirty_frames() -> None:
    video = Decoded(shared_media() / "scenedetect" / "counter.mp4")
    assert len(video.small) == 30
    assert video.starts == [Fraction(index, 10) for index in range(30)]
