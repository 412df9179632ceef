"""Decoding with PyAV: one pass that yields small frames of everything and samples for models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from av.codec.context import ThreadType
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from streamer.config import DecodeSettings
from streamer.decode.batching import BatchBuilder
from streamer.decode.damage import Damage
from streamer.decode.entry_points import entry_points
from streamer.decode.frames import FrameReader, first_frame
from streamer.decode.geometry import Layout
from streamer.decode.group_decoder import Picture, decoder_count, group_decoders
from streamer.decode.groups import GroupReader
from streamer.decode.header import read_info, stated_end
from streamer.decode.interface import AVERAGED, FrameBatch, Pixels, SmallFormat
from streamer.decode.limits import (
    check_header,
    check_moves,
    check_pixels,
    check_seconds,
    check_stated_size,
)
from streamer.decode.opening import choose_stream, open_container
from streamer.decode.packets import PacketReader
from streamer.decode.parallel import ParallelDecoder
from streamer.decode.pictures import Pictures
from streamer.decode.timeline import SamplePoints, Timeline, first_start
from streamer.errors import JobFailed


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
        check_header(container, stream, settings)
        return PyavStream(path, container, stream, settings, small)
    except BaseException:
        container.close()
        raise


class PyavStream:
    """An open video; made by `open_video`.

    ``info.width`` and ``info.height`` are as displayed: turned by the display matrix of the first
    frame, the width stretched to square pixels. Samples have that aspect; small frames are turned
    too. Times are the stream's own timestamps wherever these advance.
    """

    decoder = "pyav"
    decoder_reason: str | None = None

    def __init__(
        self,
        path: Path,
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
        self._packets = PacketReader(container, stream, self._damage)
        self._reader = FrameReader(stream, self._packets, self._damage)
        first = self._first_frame(container, stream)
        check_pixels(first.width, first.height, settings)
        layout = Layout.of(first, stream.sample_aspect_ratio, settings.sample_short_side)
        self.info = read_info(container, stream, layout.displayed)
        time_base = self.info.time_base
        self._most_ticks = int(settings.max_seconds / time_base)
        self._timeline = Timeline(time_base, self.info.average_rate)
        start = first_start(first.pts, first.dts)
        self._points = SamplePoints(settings.sample_rate, time_base, start)
        self._pictures = Pictures(layout, small)
        self._batch = BatchBuilder(self._pictures, time_base)
        self._parallel = self._side_by_side(path, stream, lambda: Pictures(layout, small))

    def _first_frame(self, container: InputContainer, stream: AvVideoStream) -> VideoFrame:
        try:
            return first_frame(self._reader)
        except JobFailed:
            check_stated_size(container, stream.codec_context.width, self._settings)
            raise

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
        if self._parallel is not None:
            self._parallel.close()
        self._reader.close()
        self._container.close()

    def batches(self) -> Iterator[FrameBatch]:
        """Decode from start to end, 32 frames a batch; iterate once.

        Raises:
            JobRejected: ``too_long``, ``too_many_pixels``, or ``single_frame`` for a picture.
            JobFailed: ``undecodable`` if a damaged video gave but one frame.
        """
        for picture in self._pictures_of_groups():
            start = self._place(picture.pts, None, picture.duration)
            due = self._points.due(start)
            yield from self._add(start, picture.small, picture.sample if due else None)
        for frame in filter(self._wanted, self._reader):
            start = self._place(frame.pts, frame.dts, frame.duration)
            sample = self._pictures.sample(frame) if self._points.due(start) else None
            yield from self._add(start, self._pictures.small(frame), sample)
        if not self._closed:
            self._end()
            yield self._batch.take(self._timeline.end)

    def _add(self, start: int, small: VideoFrame, sample: Pixels | None) -> Iterator[FrameBatch]:
        """Put a frame into the batch; gives the batch before it if that was full."""
        if self._batch.is_full:
            yield self._batch.take(start)
        self._batch.add(start, small, sample)

    def _side_by_side(
        self, path: Path, stream: AvVideoStream, pictures: Callable[[], Pictures]
    ) -> ParallelDecoder | None:
        """Decoders for groups of packets, where these can be told apart and help."""
        extradata = stream.codec_context.extradata or b""
        is_entry_point = entry_points(self.info.codec, extradata)
        pixels = stream.codec_context.width * stream.codec_context.height
        count = decoder_count(self._settings, max(1, pixels))
        if is_entry_point is None or count < 2 or self.damage:
            return None
        decoders = group_decoders(count, path, stream.index, self._settings, pictures, self._points)
        return ParallelDecoder(GroupReader(self._reader.give_back(), is_entry_point), decoders)

    def _pictures_of_groups(self) -> Iterator[Picture]:
        """What can be decoded side by side; the reader goes on behind that."""
        if self._parallel is None or self._closed:
            return
        yield from self._parallel.pictures()
        if not self._closed:
            self._reader.go_on(self._parallel.left())

    def _wanted(self, frame: VideoFrame) -> bool:
        """Whether the frame is shown; raises if it is over the limit."""
        check_pixels(frame.width, frame.height, self._settings)
        if not frame.is_corrupt:
            return True
        self._damage.damaged_frame(self._batch.next_index)
        # A broken reference makes decoders put a picture out behind its time: out of place, it
        # would look like a cut.
        return not self._timeline.is_late(frame.pts)

    def _place(self, pts: int | None, dts: int | None, duration: int) -> int:
        """The start of the frame in ticks; raises if it is over the limit."""
        start = self._timeline.place(pts, dts, duration)
        if self._timeline.elapsed > self._most_ticks:
            check_seconds(self._timeline.elapsed * self.info.time_base, self._settings)
        return start

    def _end(self) -> None:
        end, frame = self._timeline.end * self.info.time_base, 1 / self.info.average_rate
        if not self._timeline.spliced:
            self._damage.ended(end, self._packets.expected_end(self._expected_end), frame)
        check_moves(self._batch.next_index, self.damage)
