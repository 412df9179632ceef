"""Videos of one camera take each, with what is easily taken for a cut: flashes, pans, shaking.

A take is played forwards and backwards for as long as wanted, seen through a window that moves as
a camera would.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, cycle, islice
from pathlib import Path
from typing import cast

import cv2

from benchmarks.reels import SIZE, built_truth
from streamer.decode.interface import Pixels
from streamer.evaluate.manifest import Event, Manifest
from streamer.evaluate.movie import write_movie
from streamer.evaluate.single_clip import SingleClip, clip_pictures
from streamer.evaluate.transitions import lit

RATE = Fraction(25)
_FLASH_SECONDS, _FLASH_LIGHT = 5, (0.9, 0.5)
_PAN_SECONDS, _PAN_ZOOM, _PAN_FRAMES = 3, 2.0, 10
_SHAKE_ZOOM, _SHAKE_STEP, _SHAKE_HOLD, _SHAKE_DEGREES = 1.3, 0.06, 0.9, 0.4
_DRIFT_ZOOM, _DRIFT_SECONDS = 1.3, (37, 23)


@dataclass(frozen=True)
class View:
    """What the camera shows of a picture.

    Attributes:
        zoom: 1 shows all of it, 2 half its width.
        across: place of the window in what it leaves free, 0 left to 1 right.
        down: the same, 0 top to 1 bottom.
        degrees: how far the camera is turned.
        light: of a flash, 0 to 1.
    """

    zoom: float = 1.0
    across: float = 0.5
    down: float = 0.5
    degrees: float = 0.0
    light: float = 0.0


@dataclass(frozen=True)
class Take:
    """A video to be made: how the camera moves, the name of a clip of one take, the length."""

    kind: str
    source: str
    seconds: int

    @property
    def frames(self) -> int:
        """How many it has."""
        return int(self.seconds * RATE)

    @property
    def name(self) -> str:
        """File name, without suffix."""
        return f"{self.kind}-{Path(self.source).stem}"


def _flashes(chance: random.Random) -> Iterator[View]:
    """A camera at rest, and a flash of two frames every five seconds or so."""
    while True:
        yield from [View()] * round((_FLASH_SECONDS + chance.uniform(-1, 1)) * RATE)
        yield from (View(light=light) for light in _FLASH_LIGHT)


def _pans(chance: random.Random) -> Iterator[View]:
    """Rests of about three seconds at the left and the right, and 0.4 s from one to the other."""
    for start, end in cycle(((0.0, 1.0), (1.0, 0.0))):
        rest = round((_PAN_SECONDS + chance.uniform(-1, 1)) * RATE)
        yield from [View(_PAN_ZOOM, start)] * rest
        for frame in range(1, _PAN_FRAMES):
            part = (1 - math.cos(math.pi * frame / _PAN_FRAMES)) / 2
            yield View(_PAN_ZOOM, start + (end - start) * part)


def _shaking(chance: random.Random) -> Iterator[View]:
    """A random walk around the middle, in both directions and in angle."""
    across = down = degrees = 0.0
    while True:
        across = _SHAKE_HOLD * across + chance.gauss(0, _SHAKE_STEP)
        down = _SHAKE_HOLD * down + chance.gauss(0, _SHAKE_STEP)
        degrees = _SHAKE_HOLD * degrees + chance.gauss(0, _SHAKE_DEGREES)
        yield View(_SHAKE_ZOOM, _within(0.5 + across), _within(0.5 + down), degrees)


def _drift(chance: random.Random) -> Iterator[View]:
    """A window that wanders slowly over the whole picture."""
    phase, frame = chance.uniform(0, math.tau), 0
    while True:
        angles = (phase + math.tau * frame / (seconds * RATE) for seconds in _DRIFT_SECONDS)
        across, down = (0.5 + math.sin(angle) / 2 for angle in angles)
        yield View(_DRIFT_ZOOM, across, down)
        frame += 1


CAMERAS: dict[str, Callable[[random.Random], Iterator[View]]] = {
    "flash": _flashes,
    "pan": _pans,
    "shake": _shaking,
    "long": _drift,
}

# Chosen by a dozen or more pictures of each and by its largest content scores: no cut was found.
TAKES = (
    *(
        Take("flash", source, 60)
        for source in ("it8sFJe038g.7.mp4", "CpO_paJZ9bI.35.mp4", "JGmMJ5pZl4Y.21.mp4")
    ),
    *(
        Take("pan", source, 60)
        for source in ("8xyy2RyDhFY.18.mp4", "CpO_paJZ9bI.35.mp4", "it8sFJe038g.7.mp4")
    ),
    *(
        Take("shake", source, 60)
        for source in ("489O6JiJ8Qk.14.mp4", "nrAkn1DNorc.18.mp4", "8xyy2RyDhFY.18.mp4")
    ),
    *(
        Take("long", source, 180)
        for source in ("ofzQHwCPN2Y.24.mp4", "489O6JiJ8Qk.14.mp4", "it8sFJe038g.7.mp4")
    ),
)


def build_take(clips: Sequence[SingleClip], folder: Path, take: Take) -> Path:
    """Path of the manifest of the video in ``folder``, which is made unless it is there."""
    manifest = folder / f"{take.name}.json"
    wanted = _truth(take)
    if built_truth(manifest) != wanted:
        source = next(clip.path for clip in clips if clip.path.name == take.source)
        pictures = islice(_pictures(source, take), take.frames)
        write_movie(folder / wanted.video, pictures, RATE, SIZE)
        manifest.write_text(wanted.to_json(), encoding="utf-8")
    return manifest


def _truth(take: Take) -> Manifest:
    whole = Event(start_frame=0, end_frame=take.frames, source=take.source)
    return Manifest(
        video=f"{take.name}.mp4",
        fps=RATE,
        size="x".join(map(str, SIZE)),
        events=(whole,),
        joins=(),
    )


def _pictures(source: Path, take: Take) -> Iterator[Pixels]:
    pictures = [*clip_pictures(source, RATE, SIZE)]
    views = CAMERAS[take.kind](random.Random(take.name))  # noqa: S311 - repeatable, not secret
    forth_and_back = cycle(chain(pictures, reversed(pictures)))
    for picture, view in zip(forth_and_back, views, strict=False):
        yield shown(picture, view)


def shown(picture: Pixels, view: View) -> Pixels:
    """What a camera shows of a picture, uint8 RGB ``(H, W, 3)``, at the same size."""
    height, width = picture.shape[:2]
    middle = _middle(width, view.zoom, view.across), _middle(height, view.zoom, view.down)
    turn = cv2.getRotationMatrix2D(middle, view.degrees, view.zoom)
    turn[0, 2] += width / 2 - middle[0]
    turn[1, 2] += height / 2 - middle[1]
    seen = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return lit(cast(Pixels, seen), view.light) if view.light else cast(Pixels, seen)


def _middle(side: int, zoom: float, place: float) -> float:
    """Middle of a window of ``side / zoom`` pixels."""
    return side / zoom / 2 + place * (side - side / zoom)


def _within(place: float) -> float:
    return min(max(place, 0.0), 1.0)
