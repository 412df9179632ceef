"""Opens a hostile file: only file containers, nothing outside the file, limits before decoding."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream as AvVideoStream

from streamer.config import DecodeSettings
from streamer.decode.sniff import sniff
from streamer.errors import JobFailed, JobRejected

STAGE = "decode"

# Containers that are one file of coded pictures. Left out on purpose: what opens other files or
# addresses (hls, dash, concat, sdp, image2, lavfi, ...), what reads devices, and still pictures.
_FORMATS = (
    "mov", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg", "nut", "mxf", "gif",
    "apng", "ivf", "dv", "h264", "hevc", "m4v", "mpegvideo", "obu", "yuv4mpegpipe",
)  # fmt: skip
_STILL = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
_MAX_STREAMS = 100
_PROBE_BYTES, _PROBE_MICROSECONDS = 10_000_000, 10_000_000


def open_container(path: Path, settings: DecodeSettings) -> InputContainer:
    """Open the file with the allowed demuxers.

    Raises:
        JobRejected: ``not_a_video``, ``no_video_stream`` or ``too_complex``.
        JobFailed: ``truncated``, or ``unreadable`` if the file cannot be opened at all.
    """
    options = {
        "format_whitelist": ",".join(_FORMATS),
        "protocol_whitelist": "file",
        "max_streams": str(_MAX_STREAMS),
        "probesize": str(_PROBE_BYTES),
        "analyzeduration": str(_PROBE_MICROSECONDS),
        "max_pixels": str(settings.max_pixels),  # of the decoders that probing itself may start
    }
    try:
        # The prefix keeps ffmpeg from reading a protocol out of a file's name.
        return av.open(f"file:{path}", "r", options=options, metadata_errors="replace")
    except av.error.MemoryError as error:
        # What libavformat answers to more streams than it may make, and to tables it cannot hold.
        raise JobRejected(
            f"the header states more than {_MAX_STREAMS} streams, or tables beyond all memory; "
            "send a file with the video stream alone",
            kind="too_complex",
            stage=STAGE,
        ) from error
    except (av.FFmpegError, ValueError) as error:
        raise _why_not(path, error) from error


def _why_not(path: Path, error: Exception) -> JobRejected | JobFailed:
    try:
        family, looks = sniff(path)
    except OSError as cause:
        return JobFailed(
            f"the file cannot be read: {cause.strerror}; fetch it again",
            kind="unreadable",
            stage=STAGE,
        )
    if family == "audio":
        return JobRejected(
            f"the file holds sound only ({looks}); send a video",
            kind="no_video_stream",
            stage=STAGE,
        )
    if family == "video":
        return JobFailed(
            f"the file begins as {looks} but its header is cut off or broken; fetch it again",
            kind="truncated",
            stage=STAGE,
        )
    detail = f"it looks like {looks}" if looks != "unknown data" else f"{_cause(error)}"
    return JobRejected(
        f"the file is not a video: {detail}; check that the URL leads to the video itself",
        kind="not_a_video",
        stage=STAGE,
    )


def _cause(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def choose_stream(container: InputContainer) -> AvVideoStream:
    """The moving-picture stream to decode: the default one, then the largest, then the first.

    Raises:
        JobRejected: ``no_video_stream``; cover art is not a video stream.
        JobFailed: ``unsupported_codec``.
    """
    moving = [stream for stream in container.streams.video if not stream.disposition & _STILL]
    if not moving:
        what = "cover art and no video" if container.streams.video else "no video stream"
        raise JobRejected(
            f"the file holds {what}; send a video", kind="no_video_stream", stage=STAGE
        )
    # Without a decoder PyAV leaves the stream without a codec context.
    known = [stream for stream in moving if stream.codec_context is not None]
    if not known:
        raise JobFailed(
            "no decoder for the codec of the video stream; transcode it to H.264 or VP9",
            kind="unsupported_codec",
            stage=STAGE,
        )
    return max(known, key=_merit)


def _merit(stream: AvVideoStream) -> tuple[bool, int, int]:
    default = bool(stream.disposition & Disposition.default)
    return default, stream.codec_context.width * stream.codec_context.height, -stream.index
