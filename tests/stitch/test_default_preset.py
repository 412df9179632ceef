"""The default preset: several neighbours, colours, takes, transitions, scenes that come back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.stitch import ProbedShot
from tests.stitch.test_stitch import SAME_COLOURS, at, clips_of, frames_of, rules, shot

DEFAULT = rules("default")  # an event distance of 0.6: 35 degrees
OTHER_COLOURS = np.roll(np.eye(1, 512, dtype=np.float32)[0], 5)


def piece(start: int, angle: float, frames: int = 25, *, cut: bool = True) -> ProbedShot:
    """One second of a take with a single probe."""
    probed = shot(start, frames, angle, angle)
    return replace(probed, shot=replace(probed.shot, after_cut=cut))


def after_transition(start: int, angle: float, lead: int) -> ProbedShot:
    """A shot that a transition of ``lead`` frames comes before."""
    probed = piece(start, angle)
    times = probed.shot.times[0] - 512 * np.arange(lead, 0, -1, dtype=np.int64)
    return replace(probed, shot=replace(probed.shot, lead=times))


def test_one_odd_picture_does_not_end_a_clip() -> None:
    shots = [piece(0, 0), piece(25, 0), piece(50, 90, cut=False), piece(75, 5)]
    assert frames_of(clips_of(shots, DEFAULT)[0]) == [(0, 100)]


def test_pieces_of_a_take_are_never_parted() -> None:
    shots = [piece(25 * i, 60 * i, cut=i == 0) for i in range(4)]
    assert frames_of(clips_of(shots, DEFAULT)[0]) == [(0, 100)]


@pytest.mark.parametrize(("angle", "clips"), [(30, 2), (20, 1), (10, 1)])
def test_far_colours_count_against_a_shot_but_not_alone(angle: float, clips: int) -> None:
    recoloured = replace(piece(25, angle), colours=OTHER_COLOURS)
    assert len(clips_of([piece(0, 0), recoloured, piece(50, 80)], DEFAULT)[0]) == clips + 1


def test_near_colours_do_not_count_for_a_shot() -> None:
    assert len(clips_of([piece(0, 0), piece(25, 36)], DEFAULT)[0]) == 2
    assert np.array_equal(piece(0, 0).colours, SAME_COLOURS)


def test_a_scene_that_comes_back_goes_on_with_the_clip() -> None:
    dialogue = [piece(25 * i, 90 * (i % 2)) for i in range(6)]
    assert frames_of(clips_of(dialogue, DEFAULT)[0]) == [(0, 25), (25, 150)]
    published = rules("panda-released")
    short = replace(published, min_seconds=Fraction(1, 2), thresholds=published.thresholds)
    assert len(clips_of(dialogue, short)[0]) == 6


def test_what_comes_back_must_look_more_alike_than_a_neighbour() -> None:
    nearly = [piece(0, 0), piece(25, 90), piece(50, -32)]
    assert len(clips_of(nearly, DEFAULT)[0]) == 3


def test_a_transition_within_an_event_is_part_of_the_clip() -> None:
    clips, dropped = clips_of([piece(0, 0), after_transition(35, 10, 10)], DEFAULT)
    assert frames_of(clips) == [(0, 60)]
    assert not dropped


def test_a_transition_between_events_is_left_out_and_counted() -> None:
    clips, dropped = clips_of([piece(0, 0), after_transition(35, 90, 10)], DEFAULT)
    assert frames_of(clips) == [(0, 25), (35, 60)]
    assert dropped == {"transition": 1}


def test_a_second_is_too_short_to_be_still() -> None:
    assert len(clips_of([piece(0, 0)], DEFAULT)[0]) == 1
    assert clips_of([piece(0, 0), piece(25, 0, cut=False)], DEFAULT)[1] == {"clip_still": 1}


def test_what_ends_as_it_began_is_not_still_if_something_happened() -> None:
    shots = [piece(0, 0), piece(25, 30, cut=False), piece(50, 0, cut=False)]
    assert len(clips_of(shots, DEFAULT)[0]) == 1


@st.composite
def takes(draw: st.DrawFn) -> list[ProbedShot]:
    """Shots and pieces of shots without gaps other than transitions."""
    shots: list[ProbedShot] = []
    frame = 0
    for _ in range(draw(st.integers(1, 25))):
        cut = draw(st.booleans()) or not shots
        lead = draw(st.sampled_from([0, 0, 8])) if cut and shots else 0
        length, angle = draw(st.integers(6, 25)), draw(st.floats(0, 180))
        probed = after_transition(frame + lead, angle, lead) if lead else piece(frame, angle)
        fitted = piece(frame + lead, angle, length)
        shots.append(
            replace(fitted, shot=replace(fitted.shot, lead=probed.shot.lead, after_cut=cut))
        )
        frame += lead + length
    return shots


@settings(max_examples=80, deadline=None)
@given(shots=takes())
def test_every_frame_is_in_a_clip_or_its_loss_is_counted(shots: list[ProbedShot]) -> None:
    clips, dropped = clips_of(shots, DEFAULT)
    spans = frames_of(clips)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert not spans or (spans[0][0] >= 0 and spans[-1][1] <= shots[-1].shot.span.end_frame)
    edges = [0, *(edge for span in spans for edge in span), shots[-1].shot.span.end_frame]
    gaps = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    assert bool(gaps) <= bool(sum(dropped.values()))
    assert len(gaps) <= sum(dropped.values())
    assert Counter(dropped).keys() <= {"transition", "clip_too_short", "clip_still"}


def test_the_angle_of_a_distance() -> None:
    assert np.linalg.norm(at(0) - at(35)) == pytest.approx(0.6, abs=0.01)
