"""What people read: a table of figures, and a line of causes per splitter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rich.table import Table

from streamer.evaluate.evaluation import Outcome, overall
from streamer.evaluate.figures import Figures

WIDTH = 160
"""Columns that the table needs."""

_NAMES = ("video", "splitter")
_NUMBERS = (
    "joins", "prec.", "recall", "F1", "clips", "shots\n/clip", "min\ns", "median\ns", "p90\ns",
    "max\ns", "kept", "running\nmean", "running\np95", "late by\nframes", "frames\n/s",
)  # fmt: skip


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row per video and splitter, and one per splitter over all videos."""
    shown = Table(*_NAMES)
    for title in _NUMBERS:
        shown.add_column(title, justify="right")
    for manifest, group in groupby(outcomes, key=lambda outcome: outcome.manifest):
        for outcome in group:
            shown.add_row(manifest.stem, outcome.method, *_cells(outcome.figures))
        shown.add_section()
    for method, figures in overall(outcomes).items():
        shown.add_row("all", method, *_cells(figures))
    return shown


def causes(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """What went wrong how often, by splitter."""
    counts: dict[str, Counter[str]] = {outcome.method: Counter() for outcome in outcomes}
    for outcome in outcomes:
        named = (f"{mistake.error} ({mistake.cause})" for mistake in outcome.mistakes)
        counts[outcome.method].update(named)
    return {
        method: ", ".join(f"{count} {what}" for what, count in each.most_common()) or "no mistake"
        for method, each in counts.items()
    }


def _cells(figures: Figures) -> list[str]:
    lengths = figures.lengths
    spread = (
        (None,) * 4
        if lengths is None
        else (lengths.shortest, lengths.median, lengths.p90, lengths.longest)
    )
    return [
        str(figures.joins),
        *(f"{share:.3f}" for share in (figures.precision, figures.recall, figures.f1)),
        str(figures.clips),
        *(_number(each, 1) for each in (figures.shots_per_clip, *spread)),
        f"{figures.coverage:.1%}",
        *(_number(each, 2) for each in (figures.running_mean, figures.running_p95)),
        _number(figures.boundary_latency, 0),
        f"{figures.frames_per_second:.0f}",
    ]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
