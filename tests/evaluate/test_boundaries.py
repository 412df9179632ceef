from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.evaluate.boundaries import Boundary, Frames, boundaries_of

GAP = 10


def _clips(*spans: tuple[int, int]) -> list[Frames]:
    return [Frames(*span) for span in spans]


def _places(clips: list[Frames], frames: int) -> list[float]:
    return [boundary.place for boundary in boundaries_of(clips, frames, GAP)]


def test_neighbouring_clips_share_one_boundary() -> None:
    assert _places(_clips((0, 40), (40, 100)), 100) == [40]


def test_a_dropped_transition_is_one_boundary_in_its_middle() -> None:
    assert _places(_clips((0, 40), (49, 100)), 100) == [44.5]
    assert _places(_clips((0, 40), (50, 100)), 100) == [45]


def test_a_longer_dropped_stretch_has_two() -> None:
    found = boundaries_of(_clips((0, 40), (51, 100)), 100, GAP)
    assert found == (Boundary(40, dropped=True), Boundary(51, dropped=True))


def test_the_ends_of_the_video_are_no_boundaries() -> None:
    assert _places(_clips((0, 100)), 100) == []
    assert _places(_clips((10, 90)), 100) == []
    assert _places(_clips((11, 89)), 100) == [11, 89]
    assert _places([], 100) == []


def test_overlapping_clips_and_clips_past_the_end_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        boundaries_of(_clips((0, 41), (40, 100)), 100, GAP)
    with pytest.raises(ValueError, match="frame 101 of 100"):
        boundaries_of(_clips((0, 101)), 100, GAP)
    with pytest.raises(ValueError, match="no frames"):
        Frames(5, 5)


@given(st.sets(st.integers(0, 300), min_size=2, max_size=20), st.integers(0, 30))
def test_clips_that_tile_the_video_have_a_boundary_at_each_inner_edge(
    edges: set[int], gap: int
) -> None:
    first, *rest = sorted(edge - min(edges) for edge in edges)
    clips = [Frames(start, end) for start, end in zip([first, *rest], rest, strict=False)]
    assert [b.place for b in boundaries_of(clips, rest[-1], gap)] == rest[:-1]


@given(st.sets(st.integers(0, 300), min_size=2, max_size=20), st.integers(0, 30))
def test_boundaries_are_in_order_and_inside_the_video(edges: set[int], gap: int) -> None:
    ordered = sorted(edges)
    clips = [Frames(*each) for each in zip(ordered[::2], ordered[1::2], strict=False)]
    places = [b.place for b in boundaries_of(clips, 301, gap)]
    assert places == sorted(set(places))
    assert all(0 < place < 301 for place in places)
