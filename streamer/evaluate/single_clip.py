"""Single clips to make a reel of: their list, and their pictures at any rate and size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from streamer.config import DecodeSettings
from streamer.decode.geometry import Orientation, square_pixels
from streamer.decode.interface import Pixels
from streamer.decode.opening import choose_stream, open_container
from streamer.errors import JobError, UsageError


@dataclass(frozen=True)
class SingleClip:
    """A file that shows one event.

    Attributes:
        path: the file.
        caption: what it shows.
        category: what kind of thing that is.
        seconds: about how long it is.
    """

    path: Path
    caption: str = ""
    category: str | None = None
    seconds: float = 0.0


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    caption: str = ""
    category: str | None = None
    seconds: float = 0.0


_ENTRIES = TypeAdapter(list[_Entry])


def load_clips(path: Path) -> list[SingleClip]:
    """Read a JSON list of ``file`` (relative to it), ``caption``, ``category``, ``seconds``.

    Raises:
        UsageError: naming the file, and the key that is wrong.
    """
    try:
        entries = _ENTRIES.validate_python(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {key + ': ' if key else ''}{first['msg']}") from error
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON: {error}") from error
    return [_clip(path, index, entry) for index, entry in enumerate(entries)]


def _clip(path: Path, index: int, entry: _Entry) -> SingleClip:
    file = path.parent / entry.file
    if not file.is_file():
        raise UsageError(f"{path}: {index}.file: there is no file {str(file)!r}")
    return SingleClip(file, entry.caption, entry.category, entry.seconds)


def clip_pictures(path: Path, rate: Fraction, size: tuple[int, int]) -> Iterator[Pixels]:
    """Decode a file at a constant rate and a fixed size.

    Picture ``k`` is the frame that is shown ``k / rate`` seconds after the first one; the last is
    the last that begins before the file ends. Frames are turned and stretched as players do, then
    scaled to fit, with black bars.

    Args:
        path: the file.
        rate: pictures per second.
        size: width and height of the pictures, uint8 RGB ``(H, W, 3)``.

    Raises:
        UsageError: if the file cannot be decoded.
    """
    try:
        with open_container(path, DecodeSettings()) as container:
            stream = choose_stream(container)
            stream.thread_type = "AUTO"
            fitted = _Fitted(size, stream.sample_aspect_ratio)
            for frame, times in _shown(container.decode(stream), rate, _typical_length(stream)):
                picture = fitted.picture(frame)
                for _ in range(times):
                    yield picture
    except (JobError, FFmpegError, OSError, ValueError) as error:
        message = getattr(error, "message", str(error))
        raise UsageError(f"{path}: cannot be made part of a reel: {message}") from error


def _typical_length(stream: VideoStream) -> Fraction:
    return 1 / (stream.average_rate or Fraction(25))


def _shown(
    frames: Iterable[VideoFrame], rate: Fraction, typical: Fraction
) -> Iterator[tuple[VideoFrame, int]]:
    """Each frame that is shown, and how many pictures show it."""
    made, begin = 0, Fraction(0)
    last: VideoFrame | None = None
    for frame in frames:
        if last is None:
            begin = _time(frame)
        elif (end := ceil((_time(frame) - begin) * rate)) > made:
            yield last, end - made
            made = end
        last = frame
    if last is not None:
        length = last.duration * Fraction(last.time_base or 0) or typical
        if (end := ceil((_time(last) + length - begin) * rate)) > made:
            yield last, end - made


def _time(frame: VideoFrame) -> Fraction:
    if frame.pts is None or frame.time_base is None:
        raise ValueError("a frame has no time")
    return frame.pts * frame.time_base


class _Fitted:
    """Scales frames to fit a size, with black bars."""

    def __init__(self, size: tuple[int, int], pixel_shape: Fraction | None):
        self._size, self._pixel_shape = size, pixel_shape
        self._scaler = VideoReformatter()

    def picture(self, frame: VideoFrame) -> Pixels:
        width, height = self._size
        turn = Orientation.of(frame)
        shown = turn.size(*square_pixels(frame.width, frame.height, self._pixel_shape))
        scale = min(Fraction(width, shown[0]), Fraction(height, shown[1]))
        inner = (_even(shown[0] * scale), _even(shown[1] * scale))
        scaled = self._scaler.reformat(
            frame, *turn.size(*inner), "rgb24", interpolation=Interpolation.BICUBIC, threads=1
        )
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        picture = np.zeros((height, width, 3), np.uint8)
        turned = turn.apply(scaled.to_ndarray())  # type: ignore[arg-type]
        picture[top : top + inner[1], left : left + inner[0]] = turned
        return picture


def _even(side: Fraction) -> int:
    return max(2, 2 * round(side / 2))
