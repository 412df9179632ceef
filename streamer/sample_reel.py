"""A short film with known joins, made of the photographs that scikit-image carries in its wheel.

It lets the demo and the tests run on real pictures where nothing may be downloaded. Each
photograph is one shot under a moving camera; the joins are hard cuts but for one cross-fade.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import cast

import av
import cv2
import numpy as np
from av.codec.codec import Codec, UnknownCodecError
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from streamer.errors import UsageError

WIDTH, HEIGHT, RATE = 640, 360, Fraction(25)
FADE_FRAMES = 15  # 0.6 s

Picture = NDArray[np.uint8]
View = tuple[float, float, float]

# The first one this build of PyAV has is used; the options make equal files on equal builds.
_ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"preset": "veryfast", "crf": "20", "threads": "2"}),
    ("mpeg4", {"qscale": "3", "threads": "2"}),
    ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"}),
)


@dataclass(frozen=True)
class Photograph:
    """A picture of the reel: its name in ``skimage.data`` and where it comes from."""

    name: str
    credit: str


@dataclass(frozen=True)
class SampleReel:
    """The film and the truth about it.

    Attributes:
        path: the MP4 file, 640x360 at 25 frames a second.
        frames: number of frames.
        cuts: first frame after each hard cut.
        fade: the frames ``[start, end)`` that mix two photographs.
        photographs: in order of appearance, one per shot.
    """

    path: Path
    frames: int
    cuts: tuple[int, ...]
    fade: tuple[int, int]
    photographs: tuple[Photograph, ...]


@dataclass(frozen=True)
class _Shot:
    """A photograph under a camera that moves from one view to another.

    A view is the zoom, at least 1, and the place of the window in what it leaves free: 0 is left
    or top, 1 right or bottom. ``frames`` counts those the shot has alone and those it fades in.
    """

    photograph: Photograph
    frames: int
    start: View
    end: View
    fades_in: bool = False


# Credits as in the documentation of skimage.data.
_SHOTS = (
    _Shot(
        Photograph("coffee", "Rachel Michetti, courtesy of Pikolo Espresso Bar; CC0"),
        90, (1.0, 0.5, 0.5), (1.35, 0.6, 0.4),
    ),
    _Shot(
        Photograph("astronaut", "NASA, Great Images database; public domain"),
        100, (1.25, 0.3, 0.1), (1.05, 0.6, 0.3),
    ),
    _Shot(
        Photograph("chelsea", "Stefan van der Walt; CC0"),
        85, (1.1, 0.1, 0.6), (1.4, 0.6, 0.3),
    ),
    _Shot(
        Photograph("rocket", "SpaceX; released into the public domain"),
        95, (1.0, 0.5, 1.0), (1.3, 0.5, 0.1), fades_in=True,
    ),
    _Shot(
        Photograph("hubble_deep_field", "NASA, HubbleSite; public domain"),
        95, (1.5, 0.2, 0.2), (1.1, 0.7, 0.7),
    ),
    _Shot(
        Photograph("camera", "Lav Varshney; CC0"),
        90, (1.3, 0.5, 0.0), (1.0, 0.5, 0.5),
    ),
    _Shot(
        Photograph("coins", "Brooklyn Museum Collection; no known copyright restrictions"),
        80, (1.0, 0.0, 0.2), (1.3, 0.9, 0.8),
    ),
)  # fmt: skip


def make_sample_reel(path: Path, progress: Callable[[int, int], None] | None = None) -> SampleReel:
    """Write the reel to ``path``; the same file every time on the same build of PyAV.

    Args:
        path: where to write; replaced as a whole, once complete.
        progress: called after each frame with frames written and frames in all.

    Raises:
        UsageError: without scikit-image, or without any encoder for MP4.
    """
    photographs = _photographs()
    total = sum(shot.frames for shot in _SHOTS)
    partial = path.with_name(f"{path.name}.part")
    with av.open(str(partial), "w", format="mp4") as container:
        stream = _add_stream(container)
        for done, picture in enumerate(_pictures(photographs), start=1):
            frame = VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = done - 1, 1 / RATE
            container.mux(stream.encode(frame))
            if progress:
                progress(done, total)
        container.mux(stream.encode(None))
    partial.replace(path)
    return _truth(path, total)


def _photographs() -> dict[str, Picture]:
    """Every photograph of the reel by name, as uint8 RGB ``(H, W, 3)``."""
    data = _skimage_data()
    return {name: _rgb(getattr(data, name)()) for name in (s.photograph.name for s in _SHOTS)}


def _skimage_data() -> ModuleType:
    try:
        from skimage import data
    except ImportError as error:
        raise UsageError(
            "the sample reel is made of photographs from scikit-image, which is not installed; "
            "install streamer[embedded]"
        ) from error
    return data


def _rgb(picture: Picture) -> Picture:
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)


def _add_stream(container: OutputContainer) -> VideoStream:
    name, options = _encoder()
    stream = cast(VideoStream, container.add_stream(name, rate=RATE, options=dict(options)))
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    return stream


def _encoder() -> tuple[str, dict[str, str]]:
    for name, options in _ENCODERS:
        try:
            Codec(name, "w")
        except UnknownCodecError:
            continue
        return name, options
    names = ", ".join(name for name, _ in _ENCODERS)
    raise UsageError(f"this build of PyAV has no encoder for MP4 ({names}); install another build")


def _pictures(photographs: dict[str, Picture]) -> Iterator[Picture]:
    """All frames of the reel, in order."""
    before: Iterator[Picture] = iter(())
    for shot in _SHOTS:
        views = _moving(shot, photographs[shot.photograph.name])
        for index, picture in enumerate(_first(views, shot.frames)):
            if shot.fades_in and index < FADE_FRAMES:
                yield _mixed(next(before), picture, (index + 1) / (FADE_FRAMES + 1))
            else:
                yield picture
        before = views  # goes on under the next shot, if that one fades in


def _first(pictures: Iterator[Picture], count: int) -> Iterator[Picture]:
    # zip() would take one picture too many from the iterator before it sees the range end.
    return (next(pictures) for _ in range(count))


def _mixed(old: Picture, new: Picture, share: float) -> Picture:
    return cast(Picture, cv2.addWeighted(old, 1 - share, new, share, 0))


def _moving(shot: _Shot, photograph: Picture) -> Iterator[Picture]:
    """The shot's frames, and as many more as a fade after it needs."""
    source = _reduced(photograph, max(shot.start[0], shot.end[0]))
    length = shot.frames + FADE_FRAMES
    for index in range(length):
        share = 0.5 - math.cos(math.pi * index / (length - 1)) / 2  # starts and stops softly
        zoom, x, y = (a + (b - a) * share for a, b in zip(shot.start, shot.end, strict=True))
        yield _view(source, zoom, x, y)


def _reduced(photograph: Picture, zoom: float) -> Picture:
    """The photograph no larger than the closest view needs: else fine detail would flicker."""
    height, width = photograph.shape[:2]
    scale = zoom * max(WIDTH / width, HEIGHT / height)
    if scale >= 1:
        return photograph
    size = (math.ceil(width * scale), math.ceil(height * scale))
    return cast(Picture, cv2.resize(photograph, size, interpolation=cv2.INTER_AREA))


def _view(source: Picture, zoom: float, x: float, y: float) -> Picture:
    """The window on ``source`` with the reel's aspect, moved by parts of a pixel."""
    height, width = source.shape[:2]
    step = min(width / WIDTH, height / HEIGHT) / zoom  # source pixels per pixel of the reel
    left = x * (width - step * WIDTH)
    top = y * (height - step * HEIGHT)
    half = (step - 1) / 2  # pixel centres, not corners, are mapped
    matrix = np.array([[step, 0, left + half], [0, step, top + half]])
    view = cv2.warpAffine(
        source,
        matrix,
        (WIDTH, HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cast(Picture, view)


def _truth(path: Path, total: int) -> SampleReel:
    starts = np.cumsum([0, *(shot.frames for shot in _SHOTS)])[:-1]
    joins = [(int(at), shot) for at, shot in zip(starts, _SHOTS, strict=True)][1:]
    fade = next(at for at, shot in joins if shot.fades_in)
    return SampleReel(
        path,
        total,
        tuple(at for at, shot in joins if not shot.fades_in),
        (fade, fade + FADE_FRAMES),
        tuple(shot.photograph for shot in _SHOTS),
    )
