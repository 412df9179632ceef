"""The command that compares captions with references: ``eval caption``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from streamer.cli.display import working, write_text
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.evaluate.caption_table import CaptionReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: streamer eval caption clips.jsonl --references msrvtt.json --json out.json"
    )(caption)


def caption(
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS",
            help="JSON lines of clip.caption records, a JSON map of id to caption, or a list of "
            "objects with video_id and caption.",
        ),
    ],
    references: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="MSR-VTT's JSON, Panda-70M's CSV or evaluation JSON, or a map of id to captions.",
        ),
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything here.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw a histogram of the matching scores here."),
    ] = None,
    weak_below: Annotated[
        float | None,
        typer.Option(
            min=-1,
            max=1,
            help="Count captions of a lower matching score as weak. Default: as the records say.",
        ),
    ] = None,
) -> None:
    """Measure how near captions are to references, and which captioners they come from.

    Scores are in percent: BLEU-4, ROUGE-L, METEOR, CIDEr, BERTScore, as Panda-70M states them.
    """
    needs_records = plot is not None or weak_below is not None
    report = _report(predictions, references, weak_below, needs_records)
    _print(report)
    if json_file:
        from streamer.evaluate.caption_table import as_json

        write_text(json_file, json.dumps(as_json(report), indent=1, ensure_ascii=False) + "\n")
    if plot and report.selection:
        from streamer.evaluate.score_histogram import histogram

        write_text(plot, histogram(report.selection))


def _report(
    predictions: Path, references: Path, weak_below: float | None, needs_records: bool
) -> CaptionReport:
    from streamer.evaluate.caption_pairs import pair_up
    from streamer.evaluate.caption_references import load_references
    from streamer.evaluate.caption_scores import score
    from streamer.evaluate.caption_table import CaptionReport
    from streamer.evaluate.captions import load_predictions
    from streamer.evaluate.selection import selection_of

    predicted, known = load_predictions(predictions), load_references(references)
    if needs_records and not predicted.records:
        raise UsageError(
            f"{predictions}: has no matching scores for --plot or --weak-below; "
            "give the clip.caption records of a run"
        )
    pairs = pair_up(predicted.captions, known)
    if not pairs.pairs:
        raise UsageError(
            f"{predictions} and {references} have no clip in common: predictions are named like "
            f"{predicted.captions[0].id!r}, references like {known[0].id!r}; name them alike"
        )
    with working("scoring captions"):
        metrics = score(pairs.pairs)
    selection = selection_of(predicted.records, weak_below) if predicted.records else None
    return CaptionReport(pairs, predicted.repeats, metrics, selection)


def _print(report: CaptionReport) -> None:
    from streamer.evaluate.caption_table import captioners_table, lines, metrics_table

    console = Console()
    console.print(metrics_table(report.metrics))
    if report.selection:
        console.print(captioners_table(report.selection))
    for line in lines(report):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
