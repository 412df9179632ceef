"""A small reel with its truth."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from streamer.evaluate.reel import ReelPlan, make_reel
from streamer.evaluate.single_clip import SingleClip
from tests.media import Coding, Pixels, write_video


def _panned(photograph: Pixels, frames: int = 60) -> Iterator[Pixels]:
    """A camera that moves slowly over a photograph: 320x192."""
    for frame in range(frames):
        yield np.ascontiguousarray(photograph[40:232, frame : frame + 320])


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """A reel of three photographs, joined by hard cuts at frames 60 and 120."""
    photographs = [getattr(data, name)() for name in ("astronaut", "coffee", "chelsea")]
    clips = [
        SingleClip(write_video(tmp_path / f"{index}.mp4", _panned(photograph), Coding()))
        for index, photograph in enumerate(photographs)
    ]
    make_reel(clips, tmp_path / "reel.mp4", ReelPlan(Fraction(25), (320, 192)))
    return tmp_path / "reel.json"
