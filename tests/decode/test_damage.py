"""Damaged videos give what can be decoded, and say what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamer.decode import open_video
from tests.decode.reading import SETTINGS, Decoded
from tests.media import Coding, numbered_video, read_number, shared_media

FASTSTART = Coding(muxing={"movflags": "faststart"})


def _noisy_video(path: Path, frames: int, coding: Coding = FASTSTART) -> Path:
    """Numbered, and large enough that damage hits pictures and not the header."""
    return numbered_video(path, frames, (320, 192), coding)


@pytest.mark.parametrize(
    ("name", "coding"),
    [("v.mp4", FASTSTART), ("v.mkv", Coding()), ("v.avi", Coding("mpeg4"))],
)
def test_a_cut_off_end(name: str, coding: Coding, tmp_path: Path) -> None:
    path = _noisy_video(tmp_path / name, 250, coding)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    video = Decoded(path)
    assert 50 < len(video.small) < 240
    assert video.numbers[:-5] == list(range(len(video.small) - 5))
    assert video.damage is not None
    assert "of 10.0 s" in video.damage


def test_bad_bytes_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "bad.mp4"
    data = bytearray((shared_media() / "ofzQHwCPN2Y.24.mp4").read_bytes())
    middle = len(data) // 2
    for position in np.random.default_rng(0).integers(middle, middle + 200_000, 200):
        data[position] ^= 0x55
    path.write_bytes(data)
    # NVDEC makes up what is missing and does not tell DALI.
    video = Decoded(path, SETTINGS.model_copy(update={"decoder": "pyav"}))
    assert len(video.small) > 850
    assert video.damage is not None
    assert "damaged" in video.damage
    assert video.end == video.info.duration


def test_a_hole_of_zeros(tmp_path: Path) -> None:
    path = tmp_path / "hole.mp4"
    data = bytearray((shared_media() / "ofzQHwCPN2Y.24.mp4").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100_000] = bytes(100_000)
    path.write_bytes(data)
    video = Decoded(path)
    assert len(video.small) > 800
    assert video.damage is not None
    assert "packets could not be decoded" in video.damage
    assert video.end == video.info.duration


def test_lost_pieces_of_a_transport_stream(tmp_path: Path) -> None:
    path = _noisy_video(tmp_path / "v.ts", 250, Coding(options={"g": "25"}))
    data = path.read_bytes()
    third = len(data) // 3 // 188 * 188
    path.write_bytes(data[:third] + data[third + 188 * 20 + 77 :])
    video = Decoded(path)
    assert len(video.small) > 150
    assert video.damage is not None
    assert "missing in 1 place" in video.damage
    assert read_number(video.small[-1]) == 249


def test_closing_in_the_middle_ends_the_iteration(tmp_path: Path) -> None:
    video = open_video(numbered_video(tmp_path / "v.mp4", 200), SETTINGS)
    batches = video.batches()
    assert len(next(batches)) == 32
    video.close()
    assert list(batches) == []
    video.close()


def test_a_healthy_video_has_no_damage(tmp_path: Path) -> None:
    assert Decoded(numbered_video(tmp_path / "v.mp4", 100)).damage is None
