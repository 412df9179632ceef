"""Videos to measure on, of any length, copied from a short reel without decoding it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice
from pathlib import Path
from typing import cast

import av
from av.packet import Packet
from av.video.stream import VideoStream

from streamer.sample_reel import make_sample_reel

REAL_REEL = Path(__file__).parents[2] / "shared" / "media" / "reel-dev.mp4"
SAMPLE_SECONDS = 180
ENCODED_SECONDS = 30
WIDTH, HEIGHT = 1920, 1080
# As quick to write as it gets, but with the references and B-frames that videos usually have: a
# decoder holds them, and they are what its memory is made of.
ENCODING = {"preset": "ultrafast", "refs": "4", "bf": "3", "g": "50", "threads": "2"}


@dataclass(frozen=True)
class Reel:
    """A video file of known length."""

    path: Path
    seconds: float
    name: str

    @property
    def url(self) -> str:
        """Its ``file:`` URL."""
        return self.path.absolute().as_uri()


def reel(folder: Path) -> Reel:
    """The reel of real clips if it is there, else the sample reel repeated to three minutes."""
    if REAL_REEL.is_file():
        return Reel(REAL_REEL.resolve(), _seconds(REAL_REEL), "reel of real clips")
    sample = make_sample_reel(folder / "sample.mp4").path
    return repeated(Reel(sample, 0.0, "sample reel"), SAMPLE_SECONDS, folder / "reel.mp4")


def repeated(source: Reel, seconds: int, target: Path) -> Reel:
    """``source`` over and over for at least ``seconds``, up to the next keyframe; a copy."""
    with av.open(str(target), "w") as output, ExitStack() as opened:
        template = opened.enter_context(_open(source.path)).streams.video[0]
        stream = output.add_stream_from_template(template)
        end = round(seconds / _base(template))
        for packet in _endless(source.path):
            if packet.is_keyframe and packet.pts is not None and packet.pts >= end:
                break
            packet.stream = stream
            output.mux(packet)
    return Reel(target, _seconds(target), source.name)


def enlarged(source: Reel, target: Path, codec: str = "libx264") -> Reel:
    """The first half minute of ``source`` at 1080p, encoded anew."""
    options = {**ENCODING, "x265-params": "log-level=error"} if codec == "libx265" else ENCODING
    return encoded(source, target, codec, (WIDTH, HEIGHT), options)


def encoded(
    source: Reel, target: Path, codec: str, size: tuple[int, int], options: dict[str, str]
) -> Reel:
    """The first half minute of ``source`` in another size and codec."""
    with _open(source.path) as given, av.open(str(target), "w") as output:
        rate = given.streams.video[0].average_rate or Fraction(25)
        stream = cast(VideoStream, output.add_stream(codec, rate=rate, options=dict(options)))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for frame in islice(given.decode(video=0), round(ENCODED_SECONDS * rate)):
            output.mux(stream.encode(frame.reformat(*size, "yuv420p")))
        output.mux(stream.encode(None))
    return Reel(target, _seconds(target), source.name)


def _endless(path: Path) -> Iterator[Packet[VideoStream]]:
    """The video's packets over and over, each round later by the video's length."""
    for round_number in count():
        with _open(path) as container:
            stream = container.streams.video[0]
            shift = round_number * (stream.duration or 0)
            for packet in container.demux(stream):
                if packet.pts is None or packet.dts is None:
                    continue  # The empty packet at the end.
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                yield packet


def _open(path: Path) -> av.container.InputContainer:
    return av.open(str(path))


def _base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, 1000)


def _seconds(path: Path) -> float:
    with _open(path) as container:
        stream = container.streams.video[0]
        return float((stream.duration or 0) * _base(stream))
