"""Commands that measure against ground truth: ``eval split``, ``eval reel``."""

from __future__ import annotations

import json
from contextlib import ExitStack
from enum import StrEnum
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from streamer.cli import evaluate_captions
from streamer.cli.display import write_text
from streamer.cli.options import (
    ConfigOption,
    Detector,
    DetectorOption,
    ModelsOption,
    MoreTruths,
    Preset,
    PresetOption,
    TritonOption,
    TruthOption,
)
from streamer.cli.serving import progress_bar, serve_models
from streamer.config import Settings, load_settings
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.evaluate.evaluation import Outcome
    from streamer.evaluate.manifest import Manifest
    from streamer.evaluate.measurement import Scale

    Videos = list[tuple[Path, Path, Manifest]]

app = typer.Typer(
    no_args_is_help=True,
    help="Figures against ground truth.",
    epilog="Example: streamer eval split --truth reel.json --plot plots",
)
evaluate_captions.register(app)


class Transition(StrEnum):
    """Kinds of joins of a reel."""

    CUT = "cut"
    FADE = "fade"
    DIP = "dip"
    WIPE = "wipe"
    FLASH = "flash"
    MIX = "mix"


@app.command(
    epilog="Example: streamer eval split --truth reel.json --against transnetv2,panda --plot plots"
)
def split(
    truth: TruthOption,
    more: MoreTruths = None,
    tolerance_frames: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="How far a boundary may be from a join. Default: 5, or half of a longer fade.",
        ),
    ] = None,
    gap_seconds: Annotated[
        float,
        typer.Option(min=0, help="Up to this long a stretch left out is one boundary, not two."),
    ] = 1.0,
    against: Annotated[
        str, typer.Option(help="Compare with, by commas: pyscenedetect, transnetv2, panda.")
    ] = "",
    plot: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw one SVG per video here.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything here.")
    ] = None,
    detector: DetectorOption = None,
    preset: PresetOption = None,
    triton: TritonOption = None,
    models: ModelsOption = None,
    config: ConfigOption = None,
) -> None:
    """Measure how well videos with known joins are split.

    Distances are of the served ``clip`` model, so figures of different profiles do not compare.
    """
    from streamer.evaluate.evaluation import as_json
    from streamer.evaluate.measurement import Scale

    peers = _peers(against)
    videos = _videos([*truth, *(more or [])])
    settings = _settings(config, triton, detector, preset)
    scale = Scale(tolerance_frames, gap_seconds)
    with ExitStack() as services:
        if triton is None:
            settings = settings.with_section("triton", url=serve_models(services, models))
        outcomes = _evaluated(videos, peers, settings, scale)
    _print(outcomes)
    if json_file:
        write_text(json_file, json.dumps(as_json(outcomes, scale), indent=1) + "\n")
    if plot:
        _plot(outcomes, plot)


@app.command(
    epilog="Example: streamer eval reel clips.json --output reel.mp4 --transition fade --seed 7"
)
def reel(
    clips: Annotated[
        Path, typer.Argument(metavar="CLIPS_JSON", help="List of file, caption, category, seconds.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Video to write, MP4.")],
    rate: Annotated[str, typer.Option(help="Frames per second, such as 25 or 30000/1001.")] = (
        "29.97"
    ),
    transition: Annotated[Transition, typer.Option(help="Kind of the joins.")] = Transition.CUT,
    seconds: Annotated[float, typer.Option(help="Length of a gradual transition.")] = 0.6,
    seed: Annotated[int, typer.Option(help="Of order, directions and flashes.")] = 1,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT; clips are letterboxed.")] = "640x360",
    count: Annotated[
        int | None, typer.Option(min=2, help="Take only the first N clips of the list.")
    ] = None,
) -> None:
    """Make a video with known joins out of single clips, and its truth beside it."""
    from streamer.evaluate.reel import ReelPlan, make_reel
    from streamer.evaluate.single_clip import load_clips

    plan = ReelPlan(_rate(rate), _size(size), transition.value, Fraction(str(seconds)), seed)
    chosen = load_clips(clips)[:count]
    with progress_bar() as bar:
        task = bar.add_task("clips", total=len(chosen))
        manifest = make_reel(
            chosen, output, plan, lambda done, _total: bar.update(task, completed=done)
        )
    joins = len(manifest.true_joins())
    typer.echo(f"{output}: {manifest.frames} frames, {joins} joins; truth in the .json beside it")


def _peers(against: str) -> list[str]:
    from streamer.evaluate.evaluation import check_peers

    named = list(dict.fromkeys(name.strip() for name in against.split(",") if name.strip()))
    check_peers(named)
    return named


def _videos(manifests: list[Path]) -> Videos:
    from streamer.evaluate.manifest import load_manifest

    return [(path, *load_manifest(path)) for path in manifests]


def _settings(
    config: Path | None, triton: str | None, detector: Detector | None, preset: Preset | None
) -> Settings:
    split = {"detector": detector, "preset": preset}
    return load_settings(config, {"triton": {"url": triton}, "split": split})


def _rate(text: str) -> Fraction:
    from streamer.evaluate.manifest import exact_rate

    try:
        return exact_rate(text)
    except ValueError as error:
        raise UsageError(f"--rate: {error}") from error


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--size: {text!r} is not like 640x360")
    return int(width), int(height)


def _evaluated(videos: Videos, peers: list[str], settings: Settings, scale: Scale) -> list[Outcome]:
    from streamer.evaluate.evaluation import evaluate, passes
    from streamer.triton_clients import triton_models

    total = passes(peers) * sum(truth.frames for _, _, truth in videos)
    with (
        progress_bar() as bar,
        triton_models(settings.triton) as models,
    ):
        task = bar.add_task("splitting", total=total)

        def progress(what: str, frames: int) -> None:
            bar.update(task, advance=frames, description=what)

        return list(evaluate(videos, peers, models, settings, scale, progress))


def _print(outcomes: list[Outcome]) -> None:
    from streamer.evaluate.table import WIDTH, causes, table

    console = Console(width=max(Console().width, WIDTH))
    console.print(table(outcomes))
    for method, summary in causes(outcomes).items():
        console.print(f"{method}: {summary}", highlight=False)


def _plot(outcomes: list[Outcome], folder: Path) -> None:
    from streamer.evaluate.plot import plot

    for manifest, group in groupby(outcomes, key=lambda outcome: outcome.manifest):
        write_text(folder / f"{manifest.stem}.svg", plot(list(group)))
