"""One picture per video, as SVG text: truth, shots and clips along the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import floor, log10

from streamer.evaluate.boundaries import Frames
from streamer.evaluate.evaluation import Outcome
from streamer.evaluate.measurement import Compared

_WIDTH, _LEFT, _RIGHT, _TOP = 1280, 160, 24, 84
_ROW, _BAR = 34, 22
_TEXT = "#24292f"
_TRUTH, _GRADUAL, _FLASH = "#24292f", "#54aeff", "#d4a72c"
_HIT, _MISS, _FALSE, _DROPPED = "#1a7f37", "#cf222e", "#8250df", "#f0f2f4"
_SHADES = ("#b6c6d8", "#d5dfe9")
_LEGEND = (
    (_HIT, "found"),
    (_MISS, "missed"),
    (_FALSE, "false"),
    (_GRADUAL, "gradual join"),
    (_FLASH, "flash"),
    (_DROPPED, "left out"),
)


def plot(outcomes: Sequence[Outcome]) -> str:
    """Draw the outcomes of one video: truth, then shots and clips of each splitter.

    Args:
        outcomes: of one video, one or more.

    Returns:
        A complete SVG document.
    """
    return _Drawing(outcomes).document()


class _Drawing:
    def __init__(self, outcomes: Sequence[Outcome]):
        self._outcomes = outcomes
        self._truth = outcomes[0].truth
        self._frames = outcomes[0].compared.split.total
        self._rows = 1 + 2 * len(outcomes)
        self._height = _TOP + self._rows * _ROW + 44

    def document(self) -> str:
        parts = [*self._head(), *self._axis(), *self._truth_row()]
        for index, outcome in enumerate(self._outcomes):
            parts += self._shots_row(outcome, 1 + 2 * index)
            parts += self._clips_row(outcome, 2 + 2 * index)
        return "\n".join([*parts, "</svg>", ""])

    def _head(self) -> Iterator[str]:
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{self._height}" '
            f'viewBox="0 0 {_WIDTH} {self._height}" font-family="sans-serif" font-size="13">'
        )
        yield f'<rect width="{_WIDTH}" height="{self._height}" fill="white"/>'
        scores = ", ".join(f"{each.method} {each.figures.f1:.3f}" for each in self._outcomes)
        yield _text(16, 28, f"{self._truth.video}: F1 {scores}", size=17)
        yield from _legend()

    def _axis(self) -> Iterator[str]:
        bottom = _TOP + self._rows * _ROW
        seconds = float(self._frames / self._truth.fps)
        step = _tick(seconds)
        for number in range(floor(seconds / step) + 1):
            x = self._x(number * step * float(self._truth.fps))
            yield _line(x, _TOP - 6, bottom + 4, "#d0d7de", 1)
            yield _text(x, bottom + 20, _clock(number * step), anchor="middle")
        yield _text(_WIDTH - _RIGHT, bottom + 38, "time", anchor="end")

    def _truth_row(self) -> Iterator[str]:
        top = self._top(0)
        yield _label(top, "truth")
        events = [Frames(event.start_frame, event.end_frame) for event in self._truth.events]
        yield from self._bars(events, top)
        for flash in self._truth.flashes:
            yield _line(self._x(flash.start_frame), top, top + _BAR, _FLASH, 2)
        for join in self._truth.true_joins():
            if join.length:
                yield self._bar(Frames(join.start_frame, join.end_frame), top, _GRADUAL)
            yield _line(self._x(join.middle), top, top + _BAR, _TRUTH, 2)

    def _shots_row(self, outcome: Outcome, row: int) -> Iterator[str]:
        top = self._top(row)
        yield _label(top, f"{outcome.method} shots")
        yield from self._bars([shot.frames for shot in outcome.compared.split.shots], top)

    def _clips_row(self, outcome: Outcome, row: int) -> Iterator[str]:
        top = self._top(row)
        yield _label(top, f"{outcome.method} clips")
        yield self._bar(Frames(0, self._frames), top, _DROPPED)
        yield from self._bars(outcome.compared.split.clips, top)
        for place, colour in _verdicts(outcome.compared):
            yield _line(self._x(place), top - 3, top + _BAR + 3, colour, 3)

    def _bars(self, stretches: Iterable[Frames], top: float) -> Iterator[str]:
        for index, frames in enumerate(stretches):
            yield self._bar(frames, top, _SHADES[index % 2])

    def _bar(self, frames: Frames, top: float, colour: str) -> str:
        left, right = self._x(frames.start), self._x(frames.end)
        return (
            f'<rect x="{left:.2f}" y="{top:g}" width="{right - left:.2f}" height="{_BAR}" '
            f'fill="{colour}"/>'
        )

    def _x(self, frame: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * frame / max(self._frames, 1)

    def _top(self, row: int) -> float:
        return _TOP + row * _ROW + (_ROW - _BAR) / 2


def _verdicts(compared: Compared) -> Iterator[tuple[float, str]]:
    for _, found in compared.match.pairs:
        yield compared.boundaries[found].place, _HIT
    for found in compared.match.false:
        yield compared.boundaries[found].place, _FALSE
    for true in compared.match.missed:
        yield compared.joins[true].middle, _MISS


def _legend() -> Iterator[str]:
    x = float(_LEFT)
    for colour, meaning in _LEGEND:
        yield f'<rect x="{x:g}" y="46" width="14" height="14" fill="{colour}"/>'
        yield _text(x + 20, 58, meaning)
        x += 42 + 7.5 * len(meaning)


def _label(top: float, text: str) -> str:
    return _text(_LEFT - 10, top + _BAR - 6, text, anchor="end")


def _text(x: float, y: float, text: str, *, size: int = 13, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'fill="{_TEXT}">{escape(text)}</text>'
    )


def _line(x: float, top: float, bottom: float, colour: str, width: float) -> str:
    return (
        f'<line x1="{x:.2f}" y1="{top:g}" x2="{x:.2f}" y2="{bottom:g}" stroke="{colour}" '
        f'stroke-width="{width:g}"/>'
    )


def _tick(seconds: float) -> float:
    """Seconds between ticks: 1, 2 or 5 of a power of ten, about 12 ticks."""
    rough = max(seconds, 0.1) / 12
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:02.0f}" if seconds >= 60 else f"{seconds:g} s"
