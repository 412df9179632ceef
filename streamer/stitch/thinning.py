"""Evenly spread samples of a stretch whose length is not known beforehand."""

from __future__ import annotations

from collections.abc import Iterable

from streamer.decode.interface import Sample


class Thinning:
    """Holds between ``wanted`` and ``4 * wanted`` evenly spaced samples, however many come.

    When full, every other sample is let go and from then on only every 2nd, 4th, 8th … is taken.
    """

    def __init__(self, wanted: int):
        self._wanted = wanted
        self._stride = 1
        self._seen = 0
        self._kept: list[Sample] = []

    def extend(self, samples: Iterable[Sample]) -> None:
        """Offer the next samples, in order."""
        for sample in samples:
            if self._seen % self._stride == 0:
                self._kept.append(sample)
            self._seen += 1
            if len(self._kept) > 4 * self._wanted:
                self._kept = self._kept[::2]
                self._stride *= 2

    def within(self, start_frame: int, end_frame: int) -> tuple[Sample, ...]:
        """At most ``wanted`` samples, evenly spread over the frames ``[start, end)``.

        Where sampling is sparser than the span, the nearest that were offered stand in.
        """
        inside = [s for s in self._kept if start_frame <= s.index < end_frame]
        return spread(inside or self._kept, self._wanted)


def spread(samples: list[Sample], wanted: int) -> tuple[Sample, ...]:
    """At most ``wanted`` of ``samples``: the middles of equal parts."""
    if len(samples) <= wanted:
        return tuple(samples)
    step = len(samples) / wanted
    return tuple(samples[int((part + 0.5) * step)] for part in range(wanted))
