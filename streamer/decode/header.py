"""What the header of a container says of its video stream, and how far that can be trusted."""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import InputContainer
from av.video.stream import VideoStream as AvVideoStream

from streamer.decode.interface import VideoInfo

# Containers whose header states a length. That of others (MPEG-TS, raw streams, Ogg) is estimated
# from the file itself, so it promises no frames and is no ground to reject a job.
_STATED = ("mov", "matroska", "avi", "flv")
# For streams that state no frame rate; it only spaces frames that lack timestamps as well.
_ASSUMED_RATE = Fraction(25)


def read_info(
    container: InputContainer, stream: AvVideoStream, displayed: tuple[int, int]
) -> VideoInfo:
    """The stream as its header describes it; ``displayed`` is its width and height."""
    return VideoInfo(
        *displayed,
        average_rate=stream.average_rate or stream.guessed_rate or _ASSUMED_RATE,
        time_base=time_base_of(stream),
        duration=_stream_length(stream) or _container_length(container),
        codec=stream.codec_context.codec.canonical_name,
    )


def time_base_of(stream: AvVideoStream) -> Fraction:
    """Seconds per tick of the stream; libavformat sets it for every stream it makes."""
    return stream.time_base or Fraction(1, av.time_base)


def stated_length(container: InputContainer, stream: AvVideoStream) -> Fraction | None:
    """Seconds of video that the header promises, or ``None`` if it makes no promise.

    Some containers only state the length of the whole, which may be that of the sound; it counts
    for the video where there is nothing else.
    """
    if not container.format.name.startswith(_STATED):
        return None
    length = _stream_length(stream)
    if container.format.name == "avi":
        # libavformat shortens the duration of a cut file, but keeps the header's frame count;
        # a tick of AVI is a frame.
        length = max(length or Fraction(0), stream.frames * time_base_of(stream))
    elif length is None and len(container.streams) == 1:
        length = _container_length(container)
    return length if length else None


def stated_end(container: InputContainer, stream: AvVideoStream) -> Fraction | None:
    """The presentation time at which the promised length is over, in seconds."""
    length = stated_length(container, stream)
    return None if length is None else length + (stream.start_time or 0) * time_base_of(stream)


def _stream_length(stream: AvVideoStream) -> Fraction | None:
    if stream.duration is not None:
        return stream.duration * time_base_of(stream)
    return _clock_time(stream.metadata.get("DURATION", ""))  # how Matroska has it


def _container_length(container: InputContainer) -> Fraction | None:
    return None if container.duration is None else Fraction(container.duration, av.time_base)


def _clock_time(text: str) -> Fraction | None:
    """``HH:MM:SS.fff`` as seconds, or ``None`` for anything else."""
    try:
        hours, minutes, seconds = text.strip("\x00 ").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    except ValueError:
        return None
