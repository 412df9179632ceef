"""A figure: what was measured in each run, and the bar it has to meet."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """What a figure has to reach, or must not exceed."""

    limit: float
    at_least: bool = False

    def met_by(self, value: float) -> bool:
        """Whether ``value`` passes."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Figure:
    """A measured quantity; its value is the median of its runs.

    Attributes:
        runs: the value of each run.
        digits: decimals that mean something.
        bar: ``None`` where the figure is told for its own sake.
    """

    name: str
    runs: tuple[float, ...]
    unit: str = ""
    digits: int = 2
    bar: Bar | None = None

    @property
    def value(self) -> float:
        """The median of the runs."""
        return statistics.median(self.runs)

    @property
    def missed(self) -> bool:
        """Whether there is a bar and the value does not meet it."""
        return self.bar is not None and not self.bar.met_by(self.value)

    def cells(self) -> tuple[str, str, str, str, str]:
        """Name, value, range of the runs, bar and verdict, as they stand in a table."""
        return self.name, self._value(), self._range(), self._bar(), self._verdict()

    def _value(self) -> str:
        return f"{self.value:,.{self.digits}f} {self.unit}".strip()

    def _range(self) -> str:
        if len(self.runs) == 1:
            return "one run"
        low, high = min(self.runs), max(self.runs)
        return f"{low:,.{self.digits}f} to {high:,.{self.digits}f} ({len(self.runs)} runs)"

    def _bar(self) -> str:
        if self.bar is None:
            return ""
        return f"{'≥' if self.bar.at_least else '≤'} {self.bar.limit:g} {self.unit}".strip()

    def _verdict(self) -> str:
        if self.bar is None:
            return ""
        return "miss" if self.missed else "pass"


def quotients(above: Iterable[float], below: Iterable[float]) -> tuple[float, ...]:
    """Each value of one series by its neighbour in the other."""
    return tuple(a / b for a, b in zip(above, below, strict=True))
