"""What a decoder that is not PyAV has to know of a file: its header and its first frame."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer

from streamer.config import DecodeSettings
from streamer.decode.damage import Damage
from streamer.decode.frames import FrameReader, first_frame
from streamer.decode.geometry import Layout
from streamer.decode.header import read_info, stated_end
from streamer.decode.interface import VideoInfo
from streamer.decode.limits import check_header, check_pixels
from streamer.decode.opening import choose_stream, open_container
from streamer.decode.packets import PacketReader
from streamer.decode.pictures import matrix_of


@dataclass(frozen=True)
class Probe:
    """A file as its header and first frame describe it.

    Attributes:
        info: as `open_video` gives it.
        layout: how frames are shown, and the size of samples.
        matrix: AVColorSpace of the conversion to RGB.
        pixel_format: libavutil's name of how decoded frames are stored.
        is_interlaced: whether the first frame is made of fields.
        container: libavformat's name of the container.
        is_only_video: whether no other stream could be taken for the video.
        stated_end: where the header says the video ends, in seconds.
    """

    info: VideoInfo
    layout: Layout
    matrix: int
    pixel_format: str
    is_interlaced: bool
    container: str
    is_only_video: bool
    stated_end: Fraction | None


def probe(path: Path, settings: DecodeSettings) -> Probe:
    """Read the header and decode one frame.

    Raises:
        JobRejected: ``not_a_video``, ``no_video_stream``, ``too_many_pixels`` or ``too_long``.
        JobFailed: ``truncated``, ``unreadable``, ``unsupported_codec`` or ``undecodable``.
    """
    with open_container(path, settings) as container:
        return _probe(container, settings)


def _probe(container: InputContainer, settings: DecodeSettings) -> Probe:
    stream = choose_stream(container)
    check_header(container, stream, settings)
    damage = Damage()
    packets = PacketReader(container, stream, damage)
    with closing(FrameReader(stream, packets, damage)) as reader:
        frame = first_frame(reader)
        check_pixels(frame.width, frame.height, settings)
        layout = Layout.of(frame, stream.sample_aspect_ratio, settings.sample_short_side)
        return Probe(
            info=read_info(container, stream, layout.displayed),
            layout=layout,
            matrix=matrix_of(frame),
            pixel_format=frame.format.name,
            is_interlaced=bool(frame.interlaced_frame),
            container=container.format.name,
            is_only_video=len(container.streams.video) == 1,
            stated_end=stated_end(container, stream),
        )
