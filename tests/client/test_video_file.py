"""Frames of a local file are those that the service would show the captioners."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.config import DecodeSettings
from streamer.decode import open_video
from streamer.stitch import cut_given_spans
from streamer_client import BadVideo
from streamer_client.video_file import FRAMES, sample_file
from tests.media import Coding, numbered_video, read_number, write_sound

LATE = [Fraction(5) + Fraction(k * k, 900) + Fraction(k, 30) for k in range(120)]


def as_the_service(path: Path, span: tuple[float, float]) -> NDArray[np.uint8]:
    with closing(open_video(path, DecodeSettings())) as video:
        (clip,) = cut_given_spans(video.batches(), [span], FRAMES, Counter())
    return np.stack([sample.pixels for sample in clip.samples])


@pytest.mark.parametrize(
    ("coding", "size", "span"),
    [
        (Coding(), (160, 96), (0.0, 4.0)),
        (Coding(), (160, 96), (1.3, 2.9)),
        (Coding(), (160, 96), (0.9, 9.1)),
        (Coding(times=LATE), (160, 96), (6.1, 14.0)),
        (Coding(rotation=90), (160, 96), (0.0, 4.0)),
        (Coding(rotation=180), (160, 96), (2.0, 4.0)),
        (Coding(pixel_shape=Fraction(4, 3)), (160, 96), (0.0, 4.0)),
        (Coding(), (1280, 720), (0.5, 1.5)),
    ],
    ids=["plain", "inside", "long", "uneven", "rotated", "upside-down", "anamorphic", "large"],
)
def test_the_service_s_frames(
    coding: Coding, size: tuple[int, int], span: tuple[float, float], tmp_path: Path
) -> None:
    path = numbered_video(tmp_path / "video.mp4", 120 if size[0] < 1280 else 40, size, coding)
    frames, wanted = sample_file(path, span), as_the_service(path, span)
    assert frames.shape == wanted.shape
    assert np.abs(frames.astype(int) - wanted).max() <= 2  # Threads of the scaler may round.


def test_a_seek_does_not_move_the_samples(tmp_path: Path) -> None:
    """Key frames every 10 frames, so that the span begins in a group of pictures."""
    coding = Coding(options={"g": "10"})
    path = numbered_video(tmp_path / "video.mp4", 250, coding=coding)
    numbers = [read_number(frame) for frame in sample_file(path, (7.1, 8.6))]
    assert numbers == [182, 188, 194, 200, 207, 213]
    assert numbers == [read_number(frame) for frame in as_the_service(path, (7.1, 8.6))]


def test_all_of_a_video(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "video.mp4", 100)
    numbers = [read_number(frame) for frame in sample_file(path)]
    assert len(numbers) == FRAMES
    assert numbers == sorted(numbers)


def test_a_span_behind_the_end(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "video.mp4", 50)
    with pytest.raises(BadVideo, match=r"no frame of \[8 s, 9 s\) is sampled"):
        sample_file(path, (8, 9))


def test_files_that_are_no_video(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    with pytest.raises(BadVideo, match="cannot be decoded: "):
        sample_file(text)
    with pytest.raises(BadVideo, match="cannot be decoded: "):
        sample_file(tmp_path / "missing.mp4")
    with pytest.raises(BadVideo, match="it holds no video"):
        sample_file(write_sound(tmp_path / "sound.m4a"))
