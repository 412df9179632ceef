"""Hostile and broken media files, made by hand from small sound ones."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tests.media import Coding, numbered_picture, numbered_video, write_video
from tests.web import GOOD_BYTES

SMALL = (64, 48)
_HUGE = 30_000


def box(kind: bytes, *content: bytes) -> bytes:
    """An MP4 box."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of MP4 ``data``: kind and content, in order."""
    while len(data) >= 8:
        size, kind = struct.unpack(">I4s", data[:8])
        yield kind, data[8:size]
        data = data[size:]


def small_video(path: Path, frames: int = 20) -> Path:
    """A sound video, to be spoilt; its index comes last."""
    return numbered_video(path, frames, SMALL)


def many_streams(path: Path, count: int) -> Path:
    """An MP4 that states its one track ``count`` times over."""
    parts = dict(boxes(small_video(path).read_bytes()))
    moov = list(boxes(parts.pop(b"moov")))
    track = next(box(*each) for each in moov if each[0] == b"trak")
    rest = b"".join(box(*each) for each in moov if each[0] != b"trak")
    body = b"".join(box(*part) for part in parts.items())
    path.write_bytes(body + box(b"moov", rest, track * count))
    return path


def nested_boxes(path: Path, depth: int) -> Path:
    """An MP4 whose index is ``depth`` boxes deep."""
    heads = (struct.pack(">I4s", 8 * (depth - level), b"moov") for level in range(depth))
    path.write_bytes(box(b"ftyp", b"isom\0\0\2\0isom") + b"".join(heads))
    return path


def endless_table(path: Path) -> Path:
    """An MP4 whose table of sample times claims four thousand million entries."""
    data = small_video(path).read_bytes()
    at = data.index(b"stts") + 8
    path.write_bytes(data[:at] + b"\xff\xff\xff\xfe" + data[at + 4 :])
    return path


def vast_jpegs(path: Path) -> Path:
    """A Motion JPEG video whose pictures say that they are 30,000 by 30,000 pixels."""
    pictures = [numbered_picture(number, *SMALL) for number in range(5)]
    data = write_video(path, pictures, Coding("mjpeg", "yuvj420p", b_frames=0)).read_bytes()
    size = struct.pack(">HH", SMALL[1], SMALL[0])
    path.write_bytes(data.replace(b"\x08" + size, b"\x08" + struct.pack(">HH", _HUGE, _HUGE)))
    return path


def vast_gif(path: Path, side: int) -> Path:
    """A GIF of two pictures on a screen of ``side`` by ``side`` pixels."""
    picture = b"\x2c" + struct.pack("<4H", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0"
    screen = b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\0\0" + bytes(6)
    path.write_bytes(screen + 2 * picture + b";")
    return path


def vast_header(path: Path) -> Path:
    """An MPEG-4 video whose header says 30,000 by 30,000 pixels."""
    with av.open(str(path), "w") as container:
        stream = container.add_mux_stream("mpeg4", rate=25, width=_HUGE, height=_HUGE)
        for number in range(5):
            packet = av.Packet(bytes(100))
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            container.mux(packet)
    return path


def noisy_pictures(path: Path) -> Path:
    """A video with a sound index over noise."""
    data = bytearray(small_video(path).read_bytes())
    start, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)
    return path


def unknown_codec(path: Path) -> Path:
    """A video in a codec of another age."""
    path.write_bytes(small_video(path).read_bytes().replace(b"avc1", b"zzzz"))
    return path


def no_frames(path: Path) -> Path:
    """A video whose stream has no packets at all."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = SMALL
        stream.pix_fmt = "yuv420p"
        stream.codec_context.open()
        container.start_encoding()
    return path


def many_tags(path: Path, count: int) -> Path:
    """A Matroska video with ``count`` tags of a kilobyte each."""
    with av.open(str(path), "w") as container:
        for number in range(count):
            container.metadata[f"TAG{number}"] = "x" * 1000
        _fill(container)
    return path


def _fill(container: av.container.OutputContainer) -> None:
    stream = container.add_stream("libx264", rate=25)
    stream.width, stream.height = SMALL
    stream.pix_fmt = "yuv420p"
    for number in range(5):
        frame = av.VideoFrame.from_ndarray(numbered_picture(number, *SMALL), format="rgb24")
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def late_stream(path: Path) -> Path:
    """A transport stream whose last packets are of a stream that nothing announced."""
    data = bytearray(small_video(path, 60).read_bytes())
    starts = [at for at in range(0, len(data), 188) if data[at + 1 : at + 3] == b"\x41\x00"]
    for at in starts[-5:]:
        data[at + 1 : at + 3] = b"\x5f\x00"
    path.write_bytes(data)
    return path


def late_frames(path: Path) -> Path:
    """A transport stream whose clock jumps by 20 hours in its middle, again and again."""
    times = [Fraction(n, 25) + 72_000 * (n % 2) for n in range(40)]
    pictures = (numbered_picture(number, *SMALL) for number in range(40))
    return write_video(path, pictures, Coding(times=sorted(times), b_frames=0))


def picture(path: Path) -> Path:
    """A photograph."""
    cv2.imwrite(str(path.with_suffix(".jpg")), numbered_picture(1, 64, 64))
    return path.with_suffix(".jpg").rename(path)


def noise(path: Path, head: bytes = b"") -> Path:
    """Half a megabyte of noise behind ``head``."""
    path.write_bytes(head + np.random.default_rng(6).bytes(1 << 19))
    return path


def noise_as_mp4(path: Path) -> Path:
    """Noise that begins as an MP4 does."""
    return noise(path, GOOD_BYTES[:24])
