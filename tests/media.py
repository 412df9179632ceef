"""Synthetic videos for tests, written with PyAV: no ffmpeg binary is needed.

A numbered picture shows its number as a grid of light and dark blocks, so coarse that the number
survives lossy coding and scaling to 48x27, and lopsided, so that a turned picture reads wrong.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.container import OutputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

BITS_ACROSS, BITS_DOWN = 4, 3
NUMBERS = 1 << (BITS_ACROSS * BITS_DOWN)
_FINE = Fraction(1, 90_000)  # a time base for frames at odd times
_DARK, _LIGHT = 40, 215
_PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Coding:
    """How pictures become a file; the container follows from the file's suffix.

    Attributes:
        rate: frames per second; also the spacing of frames without ``times``.
        times: presentation time of each frame in seconds, for variable rate or another start.
        rotation: degrees counterclockwise that players turn the picture by.
        mirrored: whether players swap left and right, after they turn.
        matrix: AVColorSpace of the conversion from RGB and of the tag (1: BT.709, 5: BT.601).
        tagged: whether matrix and range are written down in the file.
    """

    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    rate: Fraction = Fraction(25)
    times: Sequence[Fraction] | None = None
    rotation: int = 0
    mirrored: bool = False
    b_frames: int = 2
    pixel_shape: Fraction | None = None
    matrix: int = 5
    full_range: bool = False
    tagged: bool = False
    options: dict[str, str] = field(default_factory=dict)
    muxing: dict[str, str] = field(default_factory=dict)


def numbered_picture(number: int, width: int, height: int) -> Pixels:
    """Uint8 RGB ``(height, width, 3)`` that shows ``number``, below ``NUMBERS``."""
    bits = (number >> np.arange(BITS_ACROSS * BITS_DOWN)) & 1
    grid = np.where(bits, _LIGHT, _DARK).reshape(BITS_DOWN, BITS_ACROSS).astype(np.uint8)
    rows = np.arange(height) * BITS_DOWN // height
    columns = np.arange(width) * BITS_ACROSS // width
    return np.repeat(grid[np.ix_(rows, columns)][..., None], 3, axis=2)


def read_number(pixels: Pixels) -> int:
    """The number that a picture of any size shows."""
    height, width = pixels.shape[:2]
    rows = (2 * np.arange(BITS_DOWN) + 1) * height // (2 * BITS_DOWN)
    columns = (2 * np.arange(BITS_ACROSS) + 1) * width // (2 * BITS_ACROSS)
    bits = pixels[np.ix_(rows, columns)].mean(axis=2).reshape(-1) > (_DARK + _LIGHT) / 2
    return int((bits << np.arange(bits.size)).sum())


def flat_picture(colour: tuple[int, int, int], width: int, height: int) -> Pixels:
    """Uint8 RGB of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def numbered_video(
    path: Path,
    frames: int = 50,
    size: tuple[int, int] = (160, 96),
    coding: Coding = Coding(),
) -> Path:
    """Write a video whose frame ``i`` shows ``i``; returns ``path``."""
    return write_video(path, (numbered_picture(i, *size) for i in range(frames)), coding)


def write_video(
    path: Path,
    pictures: Iterable[Pixels],
    coding: Coding = Coding(),
) -> Path:
    """Write RGB pictures of one size as a video; returns ``path``."""
    with av.open(str(path), "w", options=coding.muxing) as container:
        stream = _add_video(container, coding)
        for frame in _frames(pictures, coding):
            if not stream.codec_context.is_open:
                stream.codec_context.width, stream.codec_context.height = frame.width, frame.height
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _add_video(container: OutputContainer, coding: Coding) -> VideoStream:
    stream = cast(
        VideoStream,
        container.add_stream(coding.codec, rate=coding.rate, options=dict(coding.options)),
    )
    if coding.rotation or coding.mirrored:
        stream.set_display_rotation(coding.rotation, hflip=coding.mirrored)
    context = stream.codec_context
    context.pix_fmt, context.max_b_frames = coding.pix_fmt, coding.b_frames
    if coding.codec.startswith("libvpx"):
        context.thread_count = 1  # its threads wait for each other by spinning: slow beside others
    if coding.times:
        context.time_base = _FINE
    if coding.pixel_shape:
        context.sample_aspect_ratio = coding.pixel_shape
    if coding.tagged:
        context.colorspace, context.color_range = coding.matrix, _range(coding)
    return stream


def _range(coding: Coding) -> int:
    return 2 if coding.full_range else 1


def _frames(pictures: Iterable[Pixels], coding: Coding) -> Iterator[VideoFrame]:
    for index, picture in enumerate(pictures):
        frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format=coding.pix_fmt,
            dst_colorspace=coding.matrix,
            dst_color_range=_range(coding),
        )
        time = coding.times[index] if coding.times else index / coding.rate
        frame.time_base = _FINE if coding.times else 1 / coding.rate
        frame.pts = round(time / frame.time_base)
        if not coding.tagged:
            frame.colorspace, frame.color_range = 2, 0
        yield frame


def write_sound(path: Path, seconds: int = 2, cover: Pixels | None = None) -> Path:
    """Write silence, with a picture as cover art if given; returns ``path``."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48_000)
        art = None if cover is None else _add_cover(container, cover)
        for start in range(0, seconds * 48_000, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 48_000, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        if art is not None and cover is not None:
            picture = VideoFrame.from_ndarray(cover, format="rgb24").reformat(format="yuvj420p")
            container.mux([*art.encode(picture), *art.encode(None)])
    return path


def _add_cover(container: av.container.OutputContainer, cover: Pixels) -> VideoStream:
    art = container.add_stream("mjpeg", rate=25)
    art.height, art.width = cover.shape[:2]
    art.pix_fmt = "yuvj420p"
    art.disposition = Disposition.attached_pic
    return art


def shared_media() -> Path:
    """The folder of real videos beside the project.

    Skips the test where there is none, and fails it where ``CI=true`` promises one.
    """
    folder = _PROJECT.parent / "shared" / "media"
    if folder.is_dir():
        return folder
    reason = "no folder ../shared/media with real videos"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
