"""Each rule on hand-made embeddings, and what always holds of clips."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.config import SplitSettings
from streamer.errors import UsageError
from streamer.shots import Shot
from streamer.spans import Span
from streamer.stitch import Clip, ProbedShot, StitchRules, rules_for, stitch
from streamer.stitch.rules import Embedding
from tests.frames import TICKS, batches_of, flat_frames

SAME_COLOURS = np.ones(512, np.float32) / 512

CALIBRATED = {
    "stitch_distance": "0.6",
    "event_distance": "0.6",
    "transition_distance": "1.0",
    "still_distance": "0.15",
    "repeat_distance": "0.3",
}


def rules(preset: str = "panda-released") -> StitchRules:
    return rules_for(SplitSettings.model_validate({"preset": preset}), CALIBRATED)


def at(degrees: float) -> Embedding:
    """A unit vector; two of them are ``2 sin(angle / 2)`` apart."""
    angle = np.radians(degrees)
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def shot(start: int, frames: int, head: float, tail: float) -> ProbedShot:
    """A shot of 25 frames per second whose probes lie at two angles."""
    (batch,) = batches_of(flat_frames(frames, (0, 0, 0)), sizes=[frames], first_tick=start * 512)
    span = Span(start * 512 * TICKS, (start + frames) * 512 * TICKS, start, start + frames)
    samples = tuple(replace(s, index=s.index + start) for s in batch.samples)
    return ProbedShot(Shot(span, batch.times, TICKS, samples), at(head), at(tail), SAME_COLOURS)


def clips_of(shots: list[ProbedShot], chosen: StitchRules) -> tuple[list[Clip], Counter[str]]:
    dropped: Counter[str] = Counter()
    return list(stitch(shots, chosen, 8, dropped)), dropped


def frames_of(clips: list[Clip]) -> list[tuple[int, int]]:
    return [(clip.span.start_frame, clip.span.end_frame) for clip in clips]


def test_neighbours_that_look_alike_become_one_clip() -> None:
    clips, _ = clips_of([shot(0, 75, 0, 10), shot(75, 75, 20, 30), shot(150, 75, 90, 100)], rules())
    assert frames_of(clips) == [(0, 150), (150, 225)]
    assert [len(clip.shots) for clip in clips] == [2, 1]


def test_the_stitch_distance_itself_still_belongs() -> None:
    limit = 2 * np.degrees(np.arcsin(0.3))
    below, above = (
        clips_of([shot(0, 75, -20, 0), shot(75, 75, limit + off, limit + 30)], rules())[0]
        for off in (-0.1, 0.1)
    )
    assert (len(below), len(above)) == (1, 2)


def test_a_transition_is_dropped_and_parts_its_neighbours() -> None:
    clips, dropped = clips_of(
        [shot(0, 75, 0, 10), shot(75, 75, 0, 80), shot(150, 75, 10, 20)], rules()
    )
    assert frames_of(clips) == [(0, 75), (150, 225)]
    assert dropped == {"shot_transition": 1}


def test_a_gap_parts_clips() -> None:
    clips, _ = clips_of([shot(0, 75, 0, 10), shot(77, 75, 10, 20)], rules())
    assert frames_of(clips) == [(0, 75), (77, 152)]


def test_short_and_still_clips_are_dropped_and_counted() -> None:
    clips, dropped = clips_of([shot(0, 49, 0, 20), shot(49, 75, 90, 95)], rules())
    assert clips == []
    assert dropped == {"clip_too_short": 1, "clip_still": 1}


def test_repeats_are_dropped_where_the_preset_says_so() -> None:
    again = [shot(0, 75, 0, 20), shot(75, 75, 90, 120), shot(150, 75, 2, 22)]
    assert len(clips_of(again, rules())[0]) == 3
    clips, dropped = clips_of(again, rules("panda-collected"))
    assert [clip.index for clip in clips] == [0, 1]
    assert dropped == {"clip_repeat": 1}


def test_the_collected_preset_trims_a_tenth_of_each_end() -> None:
    clips, _ = clips_of([shot(0, 100, 0, 20)], rules("panda-collected"))
    assert frames_of(clips) == [(10, 90)]
    assert (clips[0].span.start, clips[0].span.end) == (Fraction(10, 25), Fraction(90, 25))
    assert all(10 <= sample.index < 90 for sample in clips[0].samples)
    assert (clips[0].shots[0].start_frame, clips[0].shots[0].end_frame) == (10, 90)


@pytest.mark.parametrize(
    ("preset", "expected"),
    [("default", [(0, 7500), (7500, 8000)]), ("panda-collected", [(150, 1350)])],
)
def test_the_longest_clip(preset: str, expected: list[tuple[int, int]]) -> None:
    """The default goes on in another clip; the published rule drops the rest."""
    shots = [shot(i * 125, 125, i, i + 8) for i in range(64)]
    assert frames_of(clips_of(shots, rules(preset))[0]) == expected


def test_an_endless_event_keeps_few_samples() -> None:
    shots = (shot(i * 125, 125, i % 20, i % 20 + 8) for i in range(2000))
    chosen = replace(rules(), max_seconds=Fraction(10**6))
    (clip,) = stitch(shots, chosen, 8, Counter())
    indexes = [sample.index for sample in clip.samples]
    assert len(indexes) == 8
    assert max(np.diff(indexes)) < 2 * min(np.diff(indexes))


def test_a_missing_threshold_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="models build"):
        rules_for(SplitSettings(), {})


def test_settings_go_before_calibration() -> None:
    assert rules_for(SplitSettings(stitch_distance=0.9), CALIBRATED).thresholds.stitch == 0.9


@st.composite
def shot_lists(draw: st.DrawFn) -> list[ProbedShot]:
    shots, frame = [], 0
    for _ in range(draw(st.integers(0, 25))):
        frame += draw(st.sampled_from([0, 0, 0, 5]))
        length = draw(st.integers(1, 175))
        head, turn = draw(st.floats(0, 180)), draw(st.floats(0, 70))
        if length > 6:
            shots.append(shot(frame, length, head, head + turn))
        frame += length
    return shots


@settings(max_examples=80, deadline=None)
@given(shots=shot_lists(), preset=st.sampled_from(["default", "panda-released", "panda-collected"]))
def test_clips_are_ordered_disjoint_and_inside_their_shots(
    shots: list[ProbedShot], preset: str
) -> None:
    chosen = rules(preset)
    clips, _ = clips_of(shots, chosen)
    spans = [clip.span for clip in clips]
    assert all(a.end <= b.start and a.end_frame <= b.start_frame for a, b in pairwise(spans))
    covered = {i for s in shots for i in range(s.shot.span.start_frame, s.shot.span.end_frame)}
    assert all(set(range(s.start_frame, s.end_frame)) <= covered for s in spans)
    assert all(clip.span.seconds <= chosen.max_seconds and clip.samples for clip in clips)
    assert [clip.index for clip in clips] == list(range(len(clips)))


@settings(max_examples=40, deadline=None)
@given(shots=shot_lists())
def test_every_shot_ends_in_a_clip_or_in_the_count(shots: list[ProbedShot]) -> None:
    clips, dropped = clips_of(shots, rules())
    kept = sum(len(clip.shots) for clip in clips) + dropped["shot_transition"]
    assert kept <= len(shots)
    assert kept == len(shots) or dropped["clip_too_short"] + dropped["clip_still"] > 0
