"""What people and machines read about captions: tables, lines and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from rich.table import Table
from rich.text import Text

from streamer.evaluate.caption_pairs import Pairs
from streamer.evaluate.caption_scores import LeftOut, Metric, scores_by_pair
from streamer.evaluate.java_scoring import TOKENIZER
from streamer.evaluate.selection import PAPER_WEAK_BELOW, CaptionerFigures, Selection


@dataclass(frozen=True)
class CaptionReport:
    """Everything that was found out.

    Attributes:
        pairs: what was compared with what.
        repeats: records that came twice and count once.
        metrics: scores of the pairs.
        selection: of all records, compared or not; ``None`` where there are none.
    """

    pairs: Pairs
    repeats: int
    metrics: tuple[Metric, ...]
    selection: Selection | None


def metrics_table(metrics: Sequence[Metric]) -> Table:
    """A row per metric: its value in percent, or why there is none."""
    shown = Table("metric")
    shown.add_column("%", justify="right")
    if any(isinstance(metric, LeftOut) for metric in metrics):
        shown.add_column("left out because")
    for metric in metrics:
        if isinstance(metric, LeftOut):
            shown.add_row(metric.name, "", Text(metric.reason))
        else:
            shown.add_row(metric.name, f"{metric.value:.1f}")
    return shown


def captioners_table(selection: Selection) -> Table:
    """A row per captioner: how often asked, how often best, its scores and failures."""
    shown = Table("captioner")
    for title in ("asked", "wins", "wins %", "mean score", "failed"):
        shown.add_column(title, justify="right")
    shown.add_column("errors")
    for each in selection.captioners:
        shown.add_row(*_cells(each, len(selection.scores)))
    return shown


def lines(report: CaptionReport) -> Iterator[str]:
    """What the tables do not say, a line each."""
    pairs = report.pairs
    references = sum(len(pair.reference.captions) for pair in pairs.pairs)
    yield f"compared: {len(pairs.pairs)} captions with {references} references"
    for ids, what in (
        (pairs.only_predicted, "predictions without references"),
        (pairs.only_referenced, "clips with references and no prediction"),
    ):
        if ids:
            yield f"left out, {what}: {len(ids)} ({_some(ids)})"
    if report.repeats:
        yield f"left out, records that came again unchanged: {report.repeats}"
    yield f"words: {TOKENIZER}"
    if report.selection:
        yield weakness(report.selection)


def weakness(selection: Selection) -> str:
    """How many captions are weak, and by what measure."""
    count, total = sum(selection.weak), len(selection.weak)
    below = selection.weak_below
    measure = "as recorded" if below is None else f"below {below:g}"
    return (
        f"weak captions, {measure}: {count} of {total} ({count / total:.1%}); mean matching score "
        f"{fmean(selection.scores):.3f} ({' and '.join(selection.rankings)}; Panda-70M's own "
        f"scale has its limit at {PAPER_WEAK_BELOW})"
    )


def as_json(report: CaptionReport) -> dict[str, Any]:
    """Everything, for machines; scores in percent, also of each clip."""
    pairs = report.pairs
    scored = {each.name: each.value for each in report.metrics if not isinstance(each, LeftOut)}
    left_out = {each.name: each.reason for each in report.metrics if isinstance(each, LeftOut)}
    return {
        "unit": "percent",
        "tokenizer": TOKENIZER,
        "compared": len(pairs.pairs),
        "scores": scored,
        "left_out": left_out,
        "repeats": report.repeats,
        "only_predicted": list(pairs.only_predicted),
        "only_referenced": list(pairs.only_referenced),
        "selection": asdict(report.selection) if report.selection else None,
        "clips": list(_clips(report)),
    }


def _clips(report: CaptionReport) -> Iterator[dict[str, Any]]:
    pairs = report.pairs.pairs
    scores = scores_by_pair(report.metrics, len(pairs))
    for pair, each in zip(pairs, scores, strict=True):
        yield {
            "prediction": pair.prediction.id,
            "reference": pair.reference.id,
            "caption": pair.prediction.caption,
            "references": list(pair.reference.captions),
            "scores": dict(each),
        }


def _cells(each: CaptionerFigures, clips: int) -> tuple[str | Text, ...]:
    errors = ", ".join(f"{count} {message}" for message, count in each.errors.items())
    return (
        Text(each.name),
        str(each.asked),
        str(each.wins),
        f"{100 * each.wins / clips:.1f}",
        "" if each.mean_score is None else f"{each.mean_score:.3f}",
        str(sum(each.errors.values())),
        Text(errors),
    )


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
