"""The caps on length and size, checked on the header and again while decoding; no lone pictures."""

from __future__ import annotations

from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream as AvVideoStream

from streamer.config import DecodeSettings
from streamer.decode.header import stated_length
from streamer.decode.opening import STAGE
from streamer.errors import JobFailed, JobRejected

_SIZED = ("mov", "matroska", "avi", "flv", "gif")


def check_header(
    container: InputContainer, stream: AvVideoStream, settings: DecodeSettings
) -> None:
    """Raise ``JobRejected`` if what the header states is over a cap."""
    check_pixels(stream.codec_context.width, stream.codec_context.height, settings)
    check_seconds(stated_length(container, stream), settings)


def check_pixels(width: int, height: int, settings: DecodeSettings) -> None:
    """Raise ``JobRejected`` ``too_many_pixels`` if a frame is over the cap."""
    if width * height > settings.max_pixels:
        raise JobRejected(
            f"frames of {width}x{height} are over the limit of {settings.max_pixels} pixels; "
            "raise decode.max_pixels to take them",
            kind="too_many_pixels",
            stage=STAGE,
        )


def check_stated_size(container: InputContainer, width: int, settings: DecodeSettings) -> None:
    """Raise ``JobRejected`` ``too_many_pixels`` if the header's size of a frame is impossible.

    To be called when no frame came. libavcodec forgets a size that it could not decode; containers
    that always state one are left with a width of 0.
    """
    if width == 0 and container.format.name.startswith(_SIZED):
        raise JobRejected(
            "the header states frames larger than any decoder takes, or of no size; the limit is "
            f"{settings.max_pixels} pixels (decode.max_pixels)",
            kind="too_many_pixels",
            stage="decode",
        )


def check_seconds(seconds: Fraction | None, settings: DecodeSettings) -> None:
    """Raise ``JobRejected`` ``too_long`` if a length is known and over the cap."""
    if seconds is not None and seconds > settings.max_seconds:
        raise JobRejected(
            f"the video lasts at least {float(seconds):.1f} s, over the limit of "
            f"{settings.max_seconds:g} s; raise decode.max_seconds to take it",
            kind="too_long",
            stage=STAGE,
        )


def check_moves(frames: int, damage: str | None) -> None:
    """Raise unless a whole video gave more than one frame.

    Raises:
        JobRejected: ``single_frame`` for a picture.
        JobFailed: ``undecodable`` if a damaged video gave but one frame.
    """
    if frames > 1:
        return
    if damage:
        raise JobFailed(
            f"only one frame could be decoded: {damage}; fetch the file again",
            kind="undecodable",
            stage=STAGE,
        )
    raise JobRejected(
        "the file holds a single frame, a picture; send a video",
        kind="single_frame",
        stage=STAGE,
    )
