"""Figures and causes on splits made by hand of a video with three joins."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from streamer.evaluate.boundaries import Frames
from streamer.evaluate.diagnosis import Mistake, mistakes
from streamer.evaluate.evaluation import Outcome, overall
from streamer.evaluate.figures import figures_of
from streamer.evaluate.manifest import Event, Join, Manifest, Stretch
from streamer.evaluate.measurement import Compared, Scale, compare, measure, pool
from streamer.evaluate.plot import plot
from streamer.evaluate.running import RunningDistances
from streamer.evaluate.split import ShotSeen, Split

TWO_AND_TWO = ((90, 0), (80, 60))
RUNNING = RunningDistances(np.arange(0, 400, 25), np.arange(15) / 10)


def _truth() -> Manifest:
    edges = (0, 100, 200, 300, 400)
    return Manifest(
        video="a & b.mp4",
        fps=Fraction(25),
        size="64x36",
        events=tuple(Event(start_frame=start, end_frame=end) for start, end in pairwise(edges)),
        joins=(
            Join(start_frame=100, end_frame=100),
            Join(start_frame=190, end_frame=210, transition="fade"),
            Join(start_frame=300, end_frame=300),
        ),
        flashes=(Stretch(start_frame=350, end_frame=352),),
    )


def _split(*clips: tuple[int, int], shots: tuple[ShotSeen, ...] = ()) -> Split:
    spans = tuple(Frames(*clip) for clip in clips)
    return Split("streamer", spans, shots, (2,) * len(spans), 400, seconds=0.5)


def _compared(split: Split, tolerance: float | None = None) -> Compared:
    return compare(split, _truth(), Scale(tolerance))


def test_a_boundary_may_be_off_by_half_a_fade_but_less_at_a_cut() -> None:
    assert _compared(_split((0, 105), (105, 210), (210, 400))).match.missed == (2,)
    assert _compared(_split((0, 106), (106, 211), (211, 400))).match.missed == (0, 1, 2)
    strict = _compared(_split((0, 102), (102, 203), (203, 400)), tolerance=2)
    assert strict.match.missed == (1, 2)


def test_figures_are_those_counted_by_hand() -> None:
    # Joins at 100 and 200 are found; 300 is not; 250 is false; the last 25 frames are left out.
    compared = _compared(_split((0, 100), (100, 200), (200, 250), (250, 375)))
    figures = figures_of(measure(compared, _truth(), RUNNING))
    assert (figures.joins, figures.found, figures.hits) == (3, 3, 2)
    assert figures.precision == figures.recall == figures.f1 == pytest.approx(2 / 3)
    assert figures.recall_by_transition == {"cut": 0.5, "fade": 1.0}
    assert figures.coverage == 375 / 400
    assert figures.shots_per_clip == 2
    assert figures.lengths is not None
    assert (figures.lengths.shortest, figures.lengths.longest) == (2.0, 5.0)
    assert (figures.lengths.median, figures.lengths.p90) == pytest.approx((4.0, 4.7))
    assert figures.frames_per_second == 800


def test_the_running_distance_looks_at_neighbours_within_the_clip_only() -> None:
    # Samples at 0, 25, 50 …; the distance from sample i to the next is i / 10.
    assert RUNNING.largest_within(Frames(0, 51)) == pytest.approx(0.1)
    assert RUNNING.largest_within(Frames(0, 50)) == 0.0
    assert RUNNING.largest_within(Frames(1, 75)) == pytest.approx(0.1)
    assert RUNNING.largest_within(Frames(1, 50)) is None
    assert RUNNING.largest_within(Frames(26, 40)) is None


def test_nothing_found_is_precise_and_finds_nothing() -> None:
    figures = figures_of(measure(_compared(_split((0, 400))), _truth(), RUNNING))
    assert (figures.precision, figures.recall, figures.f1) == (1, 0, 0)
    empty = figures_of(measure(_compared(_split()), _truth(), RUNNING))
    assert (empty.coverage, empty.lengths, empty.running_mean) == (0, None, None)


def test_pooling_counts_every_join_the_same() -> None:
    good = measure(
        _compared(_split((0, 100), (100, 200), (200, 300), (300, 400))), _truth(), RUNNING
    )
    none = measure(_compared(_split((0, 400))), _truth(), RUNNING)
    figures = figures_of(pool([good, none, none]))
    assert (figures.precision, figures.recall) == pytest.approx((1, 1 / 3))
    assert figures.clips == 6
    assert figures.frames_per_second == 800


def test_latency_is_the_median_over_the_clips_of_all_videos_that_were_watched() -> None:
    clips = (Frames(0, 100), Frames(100, 400))
    watched = [
        Split("streamer", clips, (), (1, 1), 400, 0.5, frames_after) for frames_after in TWO_AND_TWO
    ]
    unwatched = _split((0, 100), (100, 400))
    measured = [measure(_compared(split), _truth(), RUNNING) for split in (*watched, unwatched)]
    assert figures_of(pool(measured)).boundary_latency == 70
    assert figures_of(measured[0]).boundary_latency == 45
    assert figures_of(measured[2]).boundary_latency is None


def _shot(start: int, end: int, *, cut: bool = True, before: float | None = 0.5) -> ShotSeen:
    return ShotSeen(Frames(start, end), cut, 0.1, before)


def test_every_mistake_has_its_cause() -> None:
    shots = (
        _shot(0, 100, cut=False, before=None),
        _shot(100, 150, before=0.7),
        _shot(150, 275, cut=False, before=0.9),
        _shot(275, 330, before=1.1),
        _shot(330, 351, before=1.2),
        _shot(351, 400, before=1.3),
    )
    # 100 was stitched over, 150 is the piece of a long shot, 200 was not seen, from 275 to 330
    # is left out, and there is a flash at 350.
    split = _split((0, 150), (150, 275), (330, 351), (351, 400), shots=shots)
    assert mistakes(_compared(split), _truth(), Scale()) == (
        Mistake(100, "missed", "stitched", "cut", 0.7, in_clip=True),
        Mistake(150, "false", "long shot", None, 0.9),
        Mistake(200, "missed", "unseen", "fade", 0.1, in_clip=True),
        Mistake(275, "false", "dropped edge", None, 1.1),
        Mistake(300, "missed", "unseen", "cut", 0.1),
        Mistake(330, "false", "dropped edge", None, 1.2),
        Mistake(351, "false", "flash", None, 1.3),
    )


def test_a_cut_that_was_seen_in_what_is_left_out_is_dropped() -> None:
    shots = (_shot(0, 100), _shot(100, 150), _shot(150, 330, before=1.1), _shot(330, 400))
    split = _split((0, 60), (330, 400), shots=shots)
    assert mistakes(_compared(split), _truth(), Scale())[1:3] == (
        Mistake(100, "missed", "dropped", "cut", 0.5),
        Mistake(200, "missed", "unseen", "fade", 0.1),
    )


def test_a_boundary_that_is_too_far_from_its_cut_is_displaced() -> None:
    # What is left out before the cut is short: one boundary, in the middle, 10 frames early.
    split = _split((0, 80), (100, 400), shots=(_shot(0, 80), _shot(100, 400, before=0.6)))
    assert mistakes(_compared(split), _truth(), Scale())[:2] == (
        Mistake(90, "false", "cut", None, 0.6),
        Mistake(100, "missed", "displaced", "cut", 0.6),
    )


def _outcome(split: Split) -> Outcome:
    compared = _compared(split)
    measured = measure(compared, _truth(), RUNNING)
    found = mistakes(compared, _truth(), Scale())
    return Outcome(Path("truth.json"), _truth(), compared, measured, found)


def test_a_plot_is_a_whole_document_with_a_mark_per_verdict() -> None:
    outcome = _outcome(_split((0, 100), (100, 200), (200, 250), (250, 400)))
    drawing = plot([outcome])
    root = ElementTree.fromstring(drawing)  # noqa: S314 - made by the line above
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a & b.mp4: F1 streamer 0.667" in texts
    lines = [element.get("stroke") for element in root.iter("{http://www.w3.org/2000/svg}line")]
    assert (lines.count("#1a7f37"), lines.count("#cf222e"), lines.count("#8250df")) == (2, 1, 1)
    assert overall([outcome])["streamer"] == outcome.figures
