"""Frames of a local video for the captioners, chosen and scaled as the service does."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from streamer_client.errors import BadVideo
from streamer_client.thinning import Thinning, spread

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

SpanSeconds = tuple[float, float]
Pixels = NDArray[np.uint8]

# The service's defaults: samples a second, and the short side of a sample in pixels.
FRAMES, SAMPLE_RATE, SHORT_SIDE = 8, Fraction(4), 360
_LONGEST_SIDE, _WIDEST_PIXEL, _HD_LINES = 4 * SHORT_SIDE, 8, 720
# AVColorSpace values that name a matrix; frames with another one are BT.709 if HD, else BT.601.
_KNOWN_MATRICES = frozenset({1, 4, 5, 6, 7, 9})


def sample_file(path: str | Path, span: SpanSeconds | None = None, frames: int = FRAMES) -> Pixels:
    """Evenly spread frames of a video, uint8 RGB ``(T, H, W, 3)``, turned as displayed.

    Four frames a second are candidates, counted from the video's first frame; of those that begin
    in the span at most ``frames`` are taken.

    Args:
        path: the file.
        span: ``[start, end)`` in seconds of stream time; None for all of the video.
        frames: how many at most.

    Raises:
        BadVideo: if the file cannot be decoded, or no candidate begins in the span.
        ModuleNotFoundError: without PyAV, the extra ``video``.
    """
    import av

    start, end = (Fraction(0), None) if span is None else (Fraction(span[0]), Fraction(span[1]))
    try:
        # The prefix keeps ffmpeg from reading a protocol out of a file's name.
        with av.open(f"file:{path}") as container:
            kept = _sampled(container, start if span else None, end, frames)
    except (av.FFmpegError, ValueError) as error:
        raise BadVideo(f"{path} cannot be decoded: {str(error).lower()}") from error
    if not kept:
        where = "it" if span is None else f"[{span[0]:g} s, {span[1]:g} s)"
        raise BadVideo(
            f"{path}: no frame of {where} is sampled; samples are {1 / SAMPLE_RATE} s apart, so "
            "give a span within the video that is at least as long"
        )
    return np.stack(kept)


def _sampled(
    container: InputContainer, start: Fraction | None, end: Fraction | None, frames: int
) -> tuple[Pixels, ...]:
    stream = cast("VideoStream | None", container.streams.best("video"))
    if stream is None:
        raise ValueError("it holds no video")
    kept: Thinning[Pixels] = Thinning(frames)
    pictures = _Pictures(stream.sample_aspect_ratio)
    for time, frame in _candidates(container, stream, start):
        if end is not None and time >= end:
            break
        if start is None or time >= start:
            kept.extend([pictures.of(frame)])
    return spread(kept.kept, frames)


def _candidates(
    container: InputContainer, stream: VideoStream, start: Fraction | None
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """The first frame at or past each point ``k / SAMPLE_RATE`` after the video's first frame."""
    stream.thread_type = "AUTO"
    opening = next(_timed(container, stream), None)
    if opening is None:
        return
    first, point = opening[0], -1
    _seek(container, stream, first, start)
    for time, frame in _timed(container, stream):
        passed = int((time - first) * SAMPLE_RATE)
        if passed > point:
            point = passed
            yield time, frame


def _seek(
    container: InputContainer, stream: VideoStream, first: Fraction, start: Fraction | None
) -> None:
    """Go to where the candidates of ``start`` and later are sure to be seen."""
    # One sample earlier: a frame before the start may be the one that its point picks.
    target = first if start is None else max(first, start - 1 / SAMPLE_RATE)
    assert stream.time_base is not None  # noqa: S101 - demuxers set it
    container.seek(int(target / stream.time_base), stream=stream, backward=True)


def _timed(container: InputContainer, stream: VideoStream) -> Iterator[tuple[Fraction, VideoFrame]]:
    for frame in container.decode(stream):
        if frame.pts is not None and frame.time_base is not None and not frame.is_corrupt:
            yield frame.pts * frame.time_base, frame


class _Pictures:
    """Scales, colours and turns frames."""

    def __init__(self, pixel_shape: Fraction | None) -> None:
        from av.video.reformatter import VideoReformatter

        self._scaler, self._pixel_shape = VideoReformatter(), pixel_shape

    def of(self, frame: VideoFrame) -> Pixels:
        """Uint8 RGB ``(H, W, 3)`` with square pixels."""
        from av.video.reformatter import Colorspace, Interpolation

        guessed = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
        scaled: Any = self._scaler.reformat(
            frame,
            *_size(frame, self._pixel_shape),
            "rgb24",
            src_colorspace=None if frame.colorspace in _KNOWN_MATRICES else guessed,
            interpolation=Interpolation.AREA,
            threads=1,
        ).to_ndarray()
        return np.ascontiguousarray(np.rot90(scaled, round(frame.rotation / 90) % 4))


def _size(frame: VideoFrame, pixel_shape: Fraction | None) -> tuple[int, int]:
    """Width and height of a sample before it is turned: even, within the caps, never enlarged."""
    shape = pixel_shape or Fraction(1)
    sane = shape if Fraction(1, _WIDEST_PIXEL) <= shape <= _WIDEST_PIXEL else Fraction(1)
    stored = frame.width, frame.height
    shown = max(1, round(frame.width * sane)), frame.height
    scale = min(
        Fraction(1),
        Fraction(SHORT_SIDE, min(shown)),
        Fraction(_LONGEST_SIDE, max(shown)),
        *(Fraction(have, want) for have, want in zip(stored, shown, strict=True)),
    )
    width, height = (
        min(2 * max(1, round(want * scale / 2)), max(1, have - have % 2))
        for want, have in zip(shown, stored, strict=True)
    )
    return width, height
