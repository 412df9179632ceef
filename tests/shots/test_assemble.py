"""Shots cover the video, never overlap, and obey the long-shot rule."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.decode.interface import Pixels
from streamer.shots import Cut, Evidence, LongShotRule, Shot, find_shots
from tests.frames import batches_of, flat_frames

LONG = LongShotRule()


class KnownCuts:
    """A detector that knows its cuts and decides ``lag`` frames late."""

    def __init__(self, cuts: list[Cut], lag: int):
        self._cuts = cuts
        self._lag = lag
        self._fed = 0

    def feed(self, small: Pixels) -> Evidence:
        self._fed += len(small)
        return self._up_to(max(self._fed - self._lag, 0))

    def finish(self) -> Evidence:
        return self._up_to(self._fed)

    def _up_to(self, frame: int) -> Evidence:
        due = tuple(cut for cut in self._cuts if cut.end <= frame and cut.start <= self._fed)
        self._cuts = self._cuts[len(due) :]
        return Evidence(due, min([frame, *(cut.end for cut in self._cuts)]))


def shots_of(
    frames: int, cuts: list[Cut], *, lag: int = 0, size: int = 32, first_tick: int = 0
) -> list[Shot]:
    batches = batches_of(flat_frames(frames, (9, 9, 9)), sizes=[size], first_tick=first_tick)
    return list(find_shots(batches, KnownCuts(cuts, lag), LONG))


@st.composite
def videos(draw: st.DrawFn) -> tuple[int, list[Cut]]:
    frames = draw(st.integers(1, 900))
    edges = sorted(draw(st.sets(st.integers(1, frames), max_size=12)))
    cuts = []
    for end, limit in pairwise([*edges, frames]):
        cuts.append(Cut(end, min(limit, end + draw(st.integers(0, 3)))))
    return frames, cuts


@settings(max_examples=60, deadline=None)
@given(video=videos(), lag=st.integers(0, 90), size=st.integers(1, 100))
def test_shots_do_not_depend_on_chunks_or_lag(
    video: tuple[int, list[Cut]], lag: int, size: int
) -> None:
    frames, cuts = video
    late = [shot.span for shot in shots_of(frames, cuts, lag=lag, size=size)]
    assert late == [shot.span for shot in shots_of(frames, cuts)]


@settings(max_examples=60, deadline=None)
@given(video=videos())
def test_shots_cover_all_but_transitions_in_order(video: tuple[int, list[Cut]]) -> None:
    frames, cuts = video
    spans = [shot.span for shot in shots_of(frames, cuts)]
    covered = [i for span in spans for i in range(span.start_frame, span.end_frame)]
    between = {i for cut in cuts for i in range(cut.end, cut.start)}
    assert covered == [i for i in range(frames) if i not in between]
    assert all(span.seconds <= LONG.over for span in spans)


def test_long_shots_are_cut_at_five_seconds_while_over_seven_remain() -> None:
    lengths = [shot.span.seconds for shot in shots_of(25 * 17, [])]
    assert lengths == [5, 5, 7]


def test_times_keep_the_streams_own_start() -> None:
    (shot,) = shots_of(50, [], first_tick=12800 * 3)
    assert (shot.span.start, shot.span.end) == (Fraction(3), Fraction(5))
    assert shot.samples[0].time == 3
    assert np.all(np.diff(shot.times) > 0)


def test_samples_belong_to_their_shot() -> None:
    for shot in shots_of(400, [Cut(37, 37), Cut(120, 124)]):
        inside = range(shot.span.start_frame, shot.span.end_frame)
        assert [s.index for s in shot.samples] == [i for i in inside if i % 6 == 0]
