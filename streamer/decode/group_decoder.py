"""Decodes one group of packets, and makes its frames small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from streamer.config import DecodeSettings
from streamer.decode.interface import Pixels
from streamer.decode.opening import open_container
from streamer.decode.packets import VideoPacket
from streamer.decode.pictures import Pictures
from streamer.decode.timeline import SamplePoints

# Each holds up to a group's samples; further threads go into each decoder.
_MOST_DECODERS = 4
# A decoder holds some 20 frames of 1.5 bytes a pixel: all together stay at 1 GB, which is four at
# 3840x2160 and one at 7680x4320.
_MOST_PIXELS = 4 * 3840 * 2160


@dataclass(frozen=True)
class Picture:
    """What is kept of a decoded frame: its times in ticks and its outputs."""

    pts: int
    duration: int
    small: VideoFrame
    sample: Pixels | None


class GroupDecoder:
    """One decoder and its scalers, for one group at a time."""

    def __init__(
        self, context: VideoCodecContext, threads: int, pictures: Pictures, points: SamplePoints
    ) -> None:
        context.thread_type = ThreadType.AUTO
        context.thread_count = threads
        self._context, self._pictures, self._points = context, pictures, points

    def decode(self, packets: list[VideoPacket]) -> list[Picture] | None:
        """The group's pictures in order, or ``None`` if anything is wrong with one of them."""
        pictures: list[Picture] = []
        try:
            for frame in self._frames(packets):
                previous = pictures[-1].pts if pictures else None
                if not _is_sound(frame, previous) or not self._pictures.fit(frame):
                    return None
                pictures.append(self._picture(frame, previous))
        except av.FFmpegError:
            return None
        finally:
            self._context.flush_buffers()
        return pictures

    def _frames(self, packets: list[VideoPacket]) -> Iterator[VideoFrame]:
        for packet in packets:
            yield from self._context.decode(packet)
        yield from self._context.decode(None)

    def _picture(self, frame: VideoFrame, previous: int | None) -> Picture:
        assert frame.pts is not None  # noqa: S101 - `_is_sound` said so
        # The first is sampled in any case: the frame before it is another decoder's.
        due = previous is None or self._points.lie_between(previous, frame.pts)
        sample = self._pictures.sample(frame) if due else None
        return Picture(frame.pts, frame.duration, self._pictures.small(frame), sample)


def _is_sound(frame: VideoFrame, previous: int | None) -> bool:
    if frame.is_corrupt or frame.pts is None:
        return False
    return previous is None or frame.pts > previous


def decoder_count(settings: DecodeSettings, pixels: int) -> int:
    """As many decoders as share the threads well and fit the memory, for frames of that size."""
    return min(settings.threads, _MOST_DECODERS, _MOST_PIXELS // pixels)


def group_decoders(
    count: int,
    path: Path,
    stream_index: int,
    settings: DecodeSettings,
    pictures: Callable[[], Pictures],
    points: SamplePoints,
) -> list[GroupDecoder]:
    """That many decoders of the stream, each with scalers of its own."""
    contexts = (_context(path, stream_index, settings) for _ in range(count))
    threads = settings.threads // count
    return [GroupDecoder(context, threads, pictures(), points) for context in contexts]


def _context(path: Path, stream_index: int, settings: DecodeSettings) -> VideoCodecContext:
    # The file is opened for what its header tells a decoder, such as how far frames are reordered.
    with open_container(path, settings) as container:
        return container.streams[stream_index].codec_context  # type: ignore[return-value]
