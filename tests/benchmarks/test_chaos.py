"""The order of faults."""

from __future__ import annotations

import random

from benchmarks.chaos_faults import FAULTS, sequence


def test_every_kind_comes_before_one_comes_again() -> None:
    faults = sequence(2 * len(FAULTS) + 3, random.Random(0))
    count = len(FAULTS)
    assert set(faults[:count]) == set(faults[count : 2 * count]) == set(FAULTS)


def test_a_seed_gives_one_order() -> None:
    assert sequence(25, random.Random(7)) == sequence(25, random.Random(7))
