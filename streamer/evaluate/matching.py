"""Which found boundary is which true join: greedy, one to one, the nearest pairs first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Match:
    """Indexes into the true and the found places.

    Attributes:
        pairs: ``(true, found)`` by true index.
        missed: true places that nothing was found for.
        false: found places where nothing is.
    """

    pairs: tuple[tuple[int, int], ...]
    missed: tuple[int, ...]
    false: tuple[int, ...]


def match(true: Sequence[float], found: Sequence[float], tolerances: Sequence[float]) -> Match:
    """Pair places that are near each other; each takes part in one pair at most.

    Of all pairs within tolerance the nearest is taken, then the nearest of what is left, and so
    on; of equally near ones the earlier true place, then the earlier found one.

    Args:
        true: where boundaries are, in frames.
        found: where a splitter puts them, in frames.
        tolerances: how far from each true place a found one may be, in frames, inclusive.

    Raises:
        ValueError: if there is not one tolerance per true place.
    """
    near = sorted(
        (abs(place - other), i, j)
        for i, (place, tolerance) in enumerate(zip(true, tolerances, strict=True))
        for j, other in enumerate(found)
        if abs(place - other) <= tolerance
    )
    taken: dict[int, int] = {}
    for _, i, j in near:
        if i not in taken and j not in taken.values():
            taken[i] = j
    free = set(range(len(found))) - set(taken.values())
    missed = tuple(i for i in range(len(true)) if i not in taken)
    return Match(tuple(sorted(taken.items())), missed, tuple(sorted(free)))
