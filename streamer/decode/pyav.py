"""Decoding with PyAV: one pass that yields small frames of everything and samples for models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from streamer.config import DecodeSettings
from streamer.decode.batching import BatchBuilder
from streamer.decode.damage import Damage
from streamer.decode.frames import FrameReader
from streamer.decode.geometry import Layout
from streamer.decode.header import read_info, stated_end, stated_length
from streamer.decode.interface import AVERAGED, FrameBatch, SmallFormat
from streamer.decode.limits import check_pixels, check_seconds, check_stated_size
from streamer.decode.opening import STAGE, choose_stream, open_container
from streamer.decode.pictures import Pictures
from streamer.decode.timeline import SamplePoints, Timeline
from streamer.errors import JobFailed, JobRejected

# Decoders raise these for what they cannot do, as opposed to data they cannot read.
_LACKING = (av.error.PatchWelcomeError, av.error.NotImplementedError, av.error.DecoderNotFoundError)


def open_video(path: Path, settings: DecodeSettings, small: SmallFormat = AVERAGED) -> PyavStream:
    """Open a file for one pass of decoding, and decode its first frame.

    Args:
        path: the file.
        settings: sampling and limits.
        small: what the small frames are to be like.

    Raises:
        JobRejected: ``not_a_video``, ``no_video_stream``, ``too_complex``, ``too_many_pixels`` or
            ``too_long``.
        JobFailed: ``truncated``, ``unreadable``, ``unsupported_codec`` or ``undecodable``.
    """
    container = open_container(path, settings)
    try:
        stream = choose_stream(container)
        _check_header(container, stream, settings)
        return PyavStream(container, stream, settings, small)
    except BaseException:
        container.close()
        raise


def _check_header(
    container: InputContainer, stream: AvVideoStream, settings: DecodeSettings
) -> None:
    check_pixels(stream.codec_context.width, stream.codec_context.height, settings)
    check_seconds(stated_length(container, stream), settings)


class PyavStream:
    """An open video; made by `open_video`.

    ``info.width`` and ``info.height`` are as displayed: turned by the display matrix of the first
    frame, the width stretched to square pixels. Samples have that aspect; small frames are turned
    too. Times are the stream's own timestamps wherever these advance.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: AvVideoStream,
        settings: DecodeSettings,
        small: SmallFormat,
    ) -> None:
        stream.codec_context.thread_type = ThreadType.AUTO
        stream.codec_context.thread_count = settings.threads
        self._container, self._settings, self._closed = container, settings, False
        self._damage = Damage()
        self._expected_end = stated_end(container, stream)
        self._reader = FrameReader(container, stream, self._damage)
        first = self._reader.first()
        if first is None:
            check_stated_size(container, stream.codec_context.width, settings)
            raise _no_frame(self._reader)
        check_pixels(first.width, first.height, settings)
        layout = Layout.of(first, stream.sample_aspect_ratio, settings.sample_short_side)
        self.info = read_info(container, stream, layout.displayed)
        time_base = self.info.time_base
        self._most_ticks = int(settings.max_seconds / time_base)
        self._timeline = Timeline(time_base, self.info.average_rate)
        points = SamplePoints(settings.sample_rate, time_base)
        self._batch = BatchBuilder(Pictures(layout, small), points, time_base)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def damage(self) -> str | None:
        """After ``batches`` ended: what could not be decoded, in one line, or ``None``."""
        return str(self._damage) or None

    @property
    def repaired_times(self) -> int:
        """Frames so far whose timestamp was missing, repeated or ran backwards."""
        return self._timeline.repaired

    def close(self) -> None:
        """Free the decoder; an iteration under way ends."""
        self._closed = True
        self._reader.close()
        self._container.close()

    def batches(self) -> Iterator[FrameBatch]:
        """Decode from start to end, 32 frames a batch; iterate once.

        Raises:
            JobRejected: ``too_long``, ``too_many_pixels``, or ``single_frame`` for a picture.
            JobFailed: ``undecodable`` if a damaged video gave but one frame.
        """
        for frame in filter(self._wanted, self._reader):
            start = self._place(frame)
            if self._batch.is_full:
                yield self._batch.take(start)
            self._batch.add(frame, start)
        if not self._closed:
            self._end()
            yield self._batch.take(self._timeline.end)

    def _wanted(self, frame: VideoFrame) -> bool:
        """Whether the frame is shown; raises if it is over the limit."""
        check_pixels(frame.width, frame.height, self._settings)
        if not frame.is_corrupt:
            return True
        self._damage.damaged_frame(self._batch.next_index)
        # A broken reference makes decoders put a picture out behind its time: out of place, it
        # would look like a cut.
        return not self._timeline.is_late(frame.pts)

    def _place(self, frame: VideoFrame) -> int:
        """The start of the frame in ticks; raises if it is over the limit."""
        start = self._timeline.place(frame.pts, frame.dts, frame.duration)
        if self._timeline.elapsed > self._most_ticks:
            check_seconds(self._timeline.elapsed * self.info.time_base, self._settings)
        return start

    def _end(self) -> None:
        end, frame = self._timeline.end * self.info.time_base, 1 / self.info.average_rate
        if not self._timeline.spliced:
            self._damage.ended(end, self._reader.expected_end(self._expected_end), frame)
        if self._batch.next_index > 1:
            return
        if self.damage:
            raise JobFailed(
                f"only one frame could be decoded: {self.damage}; fetch the file again",
                kind="undecodable",
                stage=STAGE,
            )
        raise JobRejected(
            "the file holds a single frame, a picture; send a video",
            kind="single_frame",
            stage=STAGE,
        )


def _no_frame(reader: FrameReader) -> JobFailed:
    failure = JobFailed(
        "no frame of the video stream could be decoded; fetch the file again or transcode it",
        kind="undecodable",
        stage=STAGE,
    )
    if isinstance(reader.last_error, _LACKING):
        failure = JobFailed(
            "the decoder lacks a feature that the video stream uses; transcode it to H.264 or VP9",
            kind="unsupported_codec",
            stage=STAGE,
        )
    failure.__cause__ = reader.last_error
    return failure
