"""Evenly spread items of a stretch whose length is not known beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Thinning(Generic[T]):
    """Holds between ``wanted`` and ``4 * wanted`` evenly spaced items, however many come.

    When full, every other item is let go and from then on only every 2nd, 4th, 8th … is taken.
    """

    def __init__(self, wanted: int):
        self._wanted = wanted
        self._stride = 1
        self._seen = 0
        self.kept: list[T] = []

    def extend(self, items: Iterable[T]) -> None:
        """Offer the next items, in order."""
        for item in items:
            if self._seen % self._stride == 0:
                self.kept.append(item)
            self._seen += 1
            if len(self.kept) > 4 * self._wanted:
                self.kept = self.kept[::2]
                self._stride *= 2


def spread(items: list[T], wanted: int) -> tuple[T, ...]:
    """At most ``wanted`` of ``items``: the middles of equal parts."""
    if len(items) <= wanted:
        return tuple(items)
    step = len(items) / wanted
    return tuple(items[int((part + 0.5) * step)] for part in range(wanted))
