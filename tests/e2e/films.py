"""Films for whole jobs: short ones with cuts, long ones, damaged ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

from tests.media import Coding, Pixels, write_video

FASTSTART = Coding(muxing={"movflags": "faststart"})
SHOT_FRAMES = 75  # 3 s
PHOTOGRAPHS = ("coffee", "chelsea", "rocket", "astronaut")


def film(path: Path, shots: int = 3, coding: Coding = FASTSTART) -> Path:
    """Photographs under a moving camera, 3 s each, with hard cuts between them."""
    names = itertools.islice(itertools.cycle(PHOTOGRAPHS), shots)
    return write_video(path, itertools.chain.from_iterable(map(_shot, names)), coding)


def _shot(name: str) -> Iterator[Pixels]:
    """A window that moves to the right and grows; the photographs are at least 300x451."""
    photograph = getattr(data, name)()
    for frame in range(SHOT_FRAMES):
        width = 250 + frame
        window = photograph[frame : frame + width * 3 // 5, frame : frame + width]
        yield cv2.resize(window, (320, 192), interpolation=cv2.INTER_AREA)


def looped(source: Path, path: Path, times: int) -> Path:
    """``source`` played ``times`` times over, its packets copied."""
    with av.open(str(path), "w") as output:
        stream, shift = None, 0
        for _ in range(times):
            with av.open(str(source)) as film:
                stream = stream or output.add_stream_from_template(film.streams.video[0])
                length = film.streams.video[0].duration or 0
                for packet in film.demux(film.streams.video[0]):
                    if packet.dts is not None and packet.pts is not None:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = stream
                        output.mux(packet)
            shift += length
    return path


def cut_off(source: Path, path: Path, share: float) -> Path:
    """The first part of a file."""
    content = source.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def damaged(source: Path, path: Path) -> Path:
    """``source`` with noise over a tenth of its bytes, beyond the middle."""
    content = bytearray(source.read_bytes())
    start, count = len(content) // 2, len(content) // 10
    content[start : start + count] = np.random.default_rng(0).bytes(count)
    path.write_bytes(content)
    return path


def vast_film(path: Path) -> Path:
    """Few frames, but of 33 million pixels each: decoders hold several at a time."""
    picture = np.full((4320, 7680, 3), 60, np.uint8)
    coding = Coding(options={"preset": "ultrafast"}, b_frames=0)
    return looped(write_video(path.with_stem("once"), [picture], coding), path, 80)
