"""Matching scores as a picture: a histogram, as SVG text."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import floor, log10

from streamer.evaluate.selection import Selection

_WIDTH, _HEIGHT = 960, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 84, 56
_BINS = 24
# Its own page under it, so that a viewer without the scheme of its surroundings stays readable.
_STYLE = """<style>
.page { fill: #ffffff } text { fill: #24292f } .grid { stroke: #d0d7de }
.strong { fill: #1f6feb } .weak { fill: #d4690c } .limit { stroke: #24292f }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d }
.strong { fill: #58a6ff } .weak { fill: #f0983e } .limit { stroke: #e6edf3 }
}
</style>"""


def histogram(selection: Selection) -> str:
    """Draw how many captions have which matching score, the weak ones apart.

    Args:
        selection: with at least one score.

    Returns:
        A complete SVG document.
    """
    return _Drawing(selection).document()


class _Drawing:
    def __init__(self, selection: Selection):
        self._selection = selection
        shown = selection.scores
        if selection.weak_below is not None:
            shown = (*shown, selection.weak_below)
        self._step = _step((max(shown) - min(shown)) / _BINS)
        self._first = floor(min(shown) / self._step + 1e-9)
        self._bins = floor(max(shown) / self._step + 1e-9) - self._first + 1
        self._strong, self._weak = [0] * self._bins, [0] * self._bins
        for score, weak in zip(selection.scores, selection.weak, strict=True):
            (self._weak if weak else self._strong)[self._bin(score)] += 1
        highest = max(map(sum, zip(self._strong, self._weak, strict=True)))
        self._count_step = max(1, round(_step(highest / 5)))
        self._top_count = -(-highest // self._count_step) * self._count_step

    def document(self) -> str:
        parts = [*self._head(), *self._counts(), *self._bars(), *self._axis(), *self._limit()]
        return "\n".join([*parts, "</svg>", ""])

    def _head(self) -> Iterator[str]:
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
            f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="13">'
        )
        yield _STYLE
        yield f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}"/>'
        weak, total = sum(self._selection.weak), len(self._selection.weak)
        title = f"Matching scores of {total} captions ({' and '.join(self._selection.rankings)})"
        yield _text(16, 28, title, size=17)
        for x, kind, name in (
            (_LEFT, "strong", f"not weak: {total - weak}"),
            (_LEFT + 160, "weak", f"weak: {weak}"),
        ):
            yield f'<rect class="{kind}" x="{x}" y="46" width="14" height="14"/>'
            yield _text(x + 20, 58, name)

    def _counts(self) -> Iterator[str]:
        for count in range(0, self._top_count + 1, self._count_step):
            y = self._y(count)
            yield (
                f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" '
                f'y2="{y:.1f}"/>'
            )
            yield _text(_LEFT - 8, y + 4, str(count), anchor="end")

    def _bars(self) -> Iterator[str]:
        for index in range(self._bins):
            yield from self._bar(index, "weak", 0, self._weak[index])
            yield from self._bar(index, "strong", self._weak[index], self._strong[index])

    def _bar(self, index: int, kind: str, below: int, count: int) -> Iterator[str]:
        if count:
            left, right = self._edge(index) + 1, self._edge(index + 1) - 1
            top, foot = self._y(below + count), self._y(below)
            yield (
                f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                f'height="{foot - top:.1f}"/>'
            )

    def _axis(self) -> Iterator[str]:
        every = -(-self._bins // 12)
        for index in range(0, self._bins + 1, every):
            name = f"{(self._first + index) * self._step:.3g}"
            yield _text(self._edge(index), _HEIGHT - _BOTTOM + 20, name, anchor="middle")
        yield _text(_WIDTH - _RIGHT, _HEIGHT - 12, "matching score", anchor="end")
        yield _text(16, _TOP - 10, "captions")

    def _limit(self) -> Iterator[str]:
        below = self._selection.weak_below
        if below is not None:
            x = self._edge(below / self._step - self._first)
            yield (
                f'<line class="limit" x1="{x:.1f}" y1="{_TOP - 4}" x2="{x:.1f}" '
                f'y2="{_HEIGHT - _BOTTOM}" stroke-dasharray="5 4"/>'
            )
            yield _text(x, _TOP - 10, f"{below:g}", anchor="middle")

    def _bin(self, score: float) -> int:
        return floor(score / self._step + 1e-9) - self._first

    def _edge(self, place: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * place / self._bins

    def _y(self, count: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * count / self._top_count


def _step(rough: float) -> float:
    """1, 2 or 5 of a power of ten, not less than that; 0.01 for none."""
    if rough <= 0:
        return 0.01
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * (1 - 1e-9))


def _text(x: float, y: float, text: str, *, size: int = 13, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
