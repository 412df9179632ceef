"""Writes pictures as H.264 in MP4, the same file every time on the same build of PyAV."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.codec.codec import Codec, UnknownCodecError
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.decode.interface import Pixels
from streamer.errors import UsageError

_ENCODER = "libx264"
# A fixed number of threads: the coded pictures depend on it.
_OPTIONS = {"preset": "veryfast", "crf": "20", "threads": "2"}


def write_movie(
    path: Path, pictures: Iterable[Pixels], rate: Fraction, size: tuple[int, int]
) -> None:
    """Write pictures, uint8 RGB of one size, at a constant rate.

    Args:
        path: where to write; replaced as a whole, once complete.
        pictures: taken one at a time.
        rate: per second.
        size: width and height.

    Raises:
        UsageError: if this build of PyAV cannot write H.264, or the folder cannot be written to.
    """
    _check_encoder()
    partial = path.with_name(f"{path.name}.part")
    try:
        _write(partial, pictures, rate, size)
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def _check_encoder() -> None:
    try:
        Codec(_ENCODER, "w")
    except UnknownCodecError as error:
        raise UsageError(f"this build of PyAV has no {_ENCODER}; install another build") from error


def _write(path: Path, pictures: Iterable[Pixels], rate: Fraction, size: tuple[int, int]) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = _add_stream(container, rate, size)
        for number, picture in enumerate(pictures):
            frame = VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _add_stream(container: OutputContainer, rate: Fraction, size: tuple[int, int]) -> VideoStream:
    stream = cast(VideoStream, container.add_stream(_ENCODER, rate=rate, options=dict(_OPTIONS)))
    context = stream.codec_context
    (context.width, context.height), context.pix_fmt = size, "yuv420p"
    context.time_base = 1 / rate
    return stream
