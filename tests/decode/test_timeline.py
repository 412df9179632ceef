"""Times are the stream's own, strictly advance, and decide what is sampled."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config import DecodeSettings
from streamer.decode.timeline import SamplePoints, Timeline
from tests.decode.reading import Decoded
from tests.media import Coding, numbered_video

TICK = Fraction(1, 1000)
stamps = st.lists(st.one_of(st.none(), st.integers(-(10**9), 10**9)), min_size=1, max_size=60)


@given(stamps)
def test_times_strictly_advance_whatever_comes(pts: list[int | None]) -> None:
    timeline = Timeline(TICK, Fraction(25))
    starts = [timeline.place(stamp, None, 0) for stamp in pts]
    assert all(after > before for before, after in itertools.pairwise(starts))
    assert timeline.end > starts[-1]


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=60, unique=True))
def test_times_that_advance_are_kept(pts: list[int]) -> None:
    timeline = Timeline(TICK, Fraction(25))
    assert [timeline.place(stamp, None, 40) for stamp in sorted(pts)] == sorted(pts)
    assert timeline.repaired == 0
    assert not timeline.spliced


def test_a_missing_time_follows_the_frame_before() -> None:
    timeline = Timeline(TICK, Fraction(25))
    assert [timeline.place(stamp, 7, 30) for stamp in (None, None, 100)] == [7, 37, 100]
    assert timeline.repaired == 2


def test_a_repeated_time_moves_by_one_tick() -> None:
    timeline = Timeline(TICK, Fraction(25))
    assert [timeline.place(stamp, None, 40) for stamp in (0, 40, 40, 80)] == [0, 40, 41, 80]


def test_one_frame_far_behind_does_not_move_the_rest() -> None:
    timeline = Timeline(TICK, Fraction(25))
    times = [timeline.place(stamp, None, 40) for stamp in (5000, 5040, 100, 5080, 5120)]
    assert times == [5000, 5040, 5041, 5080, 5120]


def test_a_clock_that_starts_over_goes_on() -> None:
    timeline = Timeline(TICK, Fraction(25))
    stamps = [*range(0, 5000, 40), *range(0, 2000, 40)]
    times = [timeline.place(stamp, None, 40) for stamp in stamps]
    assert times[-1] - times[0] == pytest.approx(7000, abs=200)
    assert timeline.spliced


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=200),
    st.sampled_from([0.1, 1.0, 2.0, 4.0, 23.976, 30.0]),
    st.integers(-1000, 1000),
)
def test_samples_are_the_first_at_or_past_each_point(
    gaps: list[int], rate: float, first: int
) -> None:
    starts = [first + sum(gaps[:count]) for count in range(len(gaps))]
    points = SamplePoints(rate, TICK, first)
    step = 1 / Fraction(str(rate))
    taken = {start for start in starts if points.due(start)}
    reached = int((starts[-1] - first) * TICK / step)
    expected = {
        next(start for start in starts if (start - first) * TICK >= point * step)
        for point in range(reached + 1)
    }
    assert taken == expected


def test_variable_rate_and_a_late_start(tmp_path: Path) -> None:
    times = [5 + Fraction(index * index, 500) for index in range(40)]
    video = Decoded(numbered_video(tmp_path / "v.mp4", 40, coding=Coding(times=times)))
    assert video.starts == times
    assert video.numbers == list(range(40))
    assert video.repaired_times == 0


def test_sample_rate(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 50)
    samples = Decoded(path, DecodeSettings(sample_rate=5)).samples
    assert [sample.index for sample in samples] == list(range(0, 50, 5))
    assert [sample.time for sample in samples] == [Fraction(n, 5) for n in range(10)]


def test_streams_joined_end_to_end_keep_their_length(tmp_path: Path) -> None:
    first = numbered_video(tmp_path / "a.ts", 60, coding=Coding(b_frames=0))
    second = numbered_video(tmp_path / "b.ts", 40, coding=Coding(b_frames=0))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    video = Decoded(joined)
    assert video.numbers == [*range(60), *range(40)]
    assert video.end - video.starts[0] == pytest.approx(4, abs=0.2)
    assert video.damage is None
