from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamer.evaluate.matching import match

places = st.lists(st.integers(0, 400), max_size=12)


def test_the_nearest_pair_is_taken_before_a_nearer_neighbour_can_lose_it() -> None:
    # 104 is within 5 of both; 100 would take it if joins were served in order.
    matched = match([100, 105], [104], [5, 5])
    assert matched.pairs == ((1, 0),)
    assert matched.missed == (0,)
    assert matched.false == ()


def test_one_found_place_serves_one_join() -> None:
    matched = match([100, 102], [101, 300], [5, 5])
    assert matched.pairs == ((0, 0),)
    assert matched.missed == (1,)
    assert matched.false == (1,)


def test_two_found_places_at_one_join_are_one_hit_and_one_false() -> None:
    matched = match([100], [98, 101], [5])
    assert matched.pairs == ((0, 1),)
    assert matched.false == (0,)


def test_the_tolerance_is_inclusive_and_belongs_to_the_join() -> None:
    matched = match([100, 200], [105.5, 207.5], [5, 7.5])
    assert matched.pairs == ((1, 1),)


@given(places, places, st.integers(0, 20))
def test_every_place_is_accounted_for_once(
    true: list[int], found: list[int], tolerance: int
) -> None:
    matched = match(true, found, [tolerance] * len(true))
    assert sorted([*matched.missed, *(i for i, _ in matched.pairs)]) == [*range(len(true))]
    assert sorted([*matched.false, *(j for _, j in matched.pairs)]) == [*range(len(found))]
    assert all(abs(true[i] - found[j]) <= tolerance for i, j in matched.pairs)


@given(places, places, st.integers(0, 20))
def test_no_pair_within_tolerance_is_left_unmatched(
    true: list[int], found: list[int], tolerance: int
) -> None:
    matched = match(true, found, [tolerance] * len(true))
    assert not [
        (i, j)
        for i in matched.missed
        for j in matched.false
        if abs(true[i] - found[j]) <= tolerance
    ]


@given(places, places, st.integers(0, 20), st.integers(0, 20))
def test_greedy_pairs_at_least_half_of_what_another_tolerance_pairs(
    true: list[int], found: list[int], tolerance: int, more: int
) -> None:
    # A maximal matching has at least half the pairs of a largest one, so a wider tolerance
    # can never lose more than half.
    narrow = match(true, found, [tolerance] * len(true))
    wide = match(true, found, [tolerance + more] * len(true))
    assert 2 * len(wide.pairs) >= len(narrow.pairs)


@given(places, st.integers(0, 20))
def test_the_truth_itself_matches_whole(true: list[int], tolerance: int) -> None:
    matched = match(true, true, [tolerance] * len(true))
    assert len(matched.pairs) == len(true)
    assert not matched.false
