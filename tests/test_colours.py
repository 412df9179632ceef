"""Colours of a stretch, and the distance of two."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.colours import colour_distance, colours_of
from tests.frames import flat_frames


def test_one_colour_is_one_bin_and_shares_sum_up_to_one() -> None:
    colours = colours_of(flat_frames(3, (255, 0, 40)))
    assert colours.shape == (512,)
    assert np.flatnonzero(colours).tolist() == [7 * 64 + 0 + 1]
    assert colours.sum() == pytest.approx(1)


def test_distance_is_0_for_the_same_and_1_for_nothing_in_common() -> None:
    red, blue = colours_of(flat_frames(2, (250, 0, 0))), colours_of(flat_frames(1, (0, 0, 250)))
    assert colour_distance(red, red) == pytest.approx(0, abs=1e-3)
    assert colour_distance(red, blue) == pytest.approx(1)


def test_half_in_common_lies_between() -> None:
    red, both = flat_frames(1, (250, 0, 0)), flat_frames(1, (250, 0, 0))
    both[:, :, 24:] = (0, 0, 250)
    expected = np.sqrt(1 - np.sqrt(0.5))
    assert colour_distance(colours_of(red), colours_of(both)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", [(27, 48), (54, 96), (180, 320), (90, 30)])
def test_the_size_of_the_pictures_does_not_matter(size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    picture[:, size[1] // 2 :] = 200
    assert sorted(colours_of([picture]))[-2:] == pytest.approx([0.5, 0.5], abs=0.02)
