"""What counts as a false boundary in a take."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.splitter import false_places
from streamer.evaluate.boundaries import Frames
from streamer.evaluate.evaluation import judge
from streamer.evaluate.manifest import Event, Manifest
from streamer.evaluate.measurement import Scale
from streamer.evaluate.running import RunningDistances
from streamer.evaluate.split import Split

NO_DISTANCES = RunningDistances(np.empty(0, np.int64), np.empty(0))


def _false(*clips: tuple[int, int]) -> list[float]:
    """Places in a take of three minutes that is split into ``clips``, full from 59 s on."""
    truth = Manifest(
        video="take.mp4",
        fps=Fraction(25),
        size="64x36",
        events=(Event(start_frame=0, end_frame=4500),),
        joins=(),
    )
    frames = tuple(Frames(*clip) for clip in clips)
    split = Split("streamer", frames, (), (1,) * len(clips), 4500, 1.0)
    return false_places(judge(Path("take.json"), truth, split, NO_DISTANCES, Scale()), 59.0)


def test_the_end_of_a_full_clip_is_no_mistake() -> None:
    assert _false((0, 1500), (1500, 2990), (3000, 4480), (4480, 4500)) == []


def test_every_other_boundary_is() -> None:
    assert _false((0, 1400), (1400, 4500)) == [1400]
    assert _false((0, 1500), (1500, 1690), (1700, 3175), (3175, 4500)) == [1695]


def test_a_stretch_left_out_has_two_edges() -> None:
    assert _false((0, 500), (700, 4500)) == [500, 700]
