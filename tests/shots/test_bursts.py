"""Of changes that follow each other too fast for a shot between them, one is left."""

from __future__ import annotations

from streamer.shots.bursts import Bursts, Change
from streamer.shots.evidence import Cut

RATE = 25.0


def jump(frame: int, contrast: float, is_sure: bool = True) -> Change:
    return Change(Cut(frame, frame), contrast, is_sure)


def wipe(first: int, last: int, contrast: float, is_sure: bool = True) -> Change:
    return Change(Cut(first, last), contrast, is_sure)


def kept(*changes: Change) -> list[tuple[int, int]]:
    bursts = Bursts(RATE)
    cuts = [*bursts.merge(changes, 0), *bursts.finish()]
    return [(cut.end, cut.start) for cut in cuts]


def test_the_change_of_most_contrast_is_kept_of_a_burst() -> None:
    assert kept(jump(100, 0.5), jump(105, 0.9), jump(111, 0.7)) == [(105, 105)]


def test_changes_with_a_shot_between_them_are_all_kept() -> None:
    assert kept(jump(100, 0.5), jump(110, 0.9)) == [(100, 100), (110, 110)]


def test_a_burst_ends_after_a_second_and_a_half() -> None:
    jumps = [jump(100 + 9 * i, 0.5 + 0.01 * i) for i in range(6)]
    assert kept(*jumps) == [(100 + 9 * 4, 100 + 9 * 4), (100 + 9 * 5, 100 + 9 * 5)]


def test_an_unsure_change_yields_to_a_sure_one_of_little_less_contrast() -> None:
    assert kept(jump(100, 0.6, is_sure=False), jump(105, 0.55)) == [(105, 105)]
    assert kept(jump(100, 0.6, is_sure=False), jump(105, 0.4)) == [(100, 100)]


def test_a_sure_wipe_outweighs_a_jump_of_somewhat_more_contrast() -> None:
    assert kept(wipe(100, 115, 0.6), jump(118, 0.7)) == [(100, 115)]
    assert kept(wipe(100, 115, 0.6), jump(118, 0.8)) == [(118, 118)]
    assert kept(wipe(100, 115, 0.6, is_sure=False), jump(118, 0.55)) == [(118, 118)]


def test_a_burst_is_merged_as_soon_as_no_change_can_join_it() -> None:
    bursts = Bursts(RATE)
    assert bursts.merge([jump(100, 0.5)], decided=109) == []
    assert bursts.decided(109) == 100
    assert bursts.merge([], decided=110) == [Cut(100, 100)]
    assert bursts.decided(111) == 111
