"""Commands for model repositories: ``models list``, ``build``, ``check``, ``calibrate``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.display import working, write_text
from streamer.cli.options import ModelsOption, MoreTruths, TritonOption, TruthOption
from streamer.cli.serving import (
    offline_repository,
    progress_bar,
    serve_models,
    serve_repository,
)
from streamer.config import load_settings
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.evaluate.calibration import Fit
    from streamer.models.check import CheckResult, Shapes
    from streamer.models.profile import PackagedModel, Profile

app = typer.Typer(no_args_is_help=True, help="Profiles of models and Triton repositories.")

ProfileOption = Annotated[
    str, typer.Option(help="Name of a shipped profile, or a TOML file of your own.")
]


@app.command("list", epilog="Examples: streamer models list    streamer models list mine.toml")
def list_profiles(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[PROFILE]...", help="Profiles of your own.")
    ] = None,
) -> None:
    """Show the profiles: their models, what is downloaded, what a GPU has to hold."""
    from streamer.models.profile import available_profiles, load_profile

    console = Console()
    for profile in map(load_profile, [*available_profiles(), *(files or [])]):
        console.print(f"[bold]{profile.name}[/bold]: {profile.summary}", highlight=False)
        console.print(_served(profile))


def _served(profile: Profile) -> Table:
    from streamer.models.memory import gpu_need

    table = Table("model", "weights", "download", "on a GPU")
    for name, model in profile.models.items():
        table.add_row(name, _version(model), "none", "")
    for name, each in profile.checkpoints.items():
        need = gpu_need(name, each)
        size = f"{each.download_megabytes / 1000:.1f} GB" if each.download_megabytes else "none"
        table.add_row(name, f"{each.served_revision}, {each.dtype}", size, f"{need.gib:.1f} GiB")
    table.caption = f"captions ranked by {profile.caption.ranking}"
    return table


def _version(model: PackagedModel) -> str:
    try:
        return model.version
    except UsageError:
        return f"{', '.join(model.packages)} (not installed)"


@app.command(epilog="Example: streamer models build --profile offline --output models")
def build(
    output: Annotated[Path, typer.Option(help="Folder to write; replaced if it is out of date.")],
    profile: ProfileOption = "offline",
    gpu_gib: Annotated[
        float | None,
        typer.Option(
            "--gpu-gib", min=0, help="Memory of the GPU that will serve; default: this machine's."
        ),
    ] = None,
) -> None:
    """Write a model repository that Triton serves as it is.

    Checkpoints on the model hub are downloaded once, or resumed; folders need no network.
    """
    from streamer.models.build import build_repository, is_current
    from streamer.models.memory import check_fits
    from streamer.models.profile import load_profile

    chosen = load_profile(profile)
    check_fits(chosen.checkpoints, gpu_gib)
    current = is_current(chosen, output)
    with working(f"building {output}"):
        build_repository(chosen, output)
    typer.echo(f"{output}: {'was up to date' if current else 'built'}, profile {chosen.name}")


@app.command(epilog="Examples: streamer models check    streamer models check --triton gpu1:8001")
def check(
    triton: Annotated[
        str | None, typer.Option("--triton", help="Triton's gRPC; default: start one here.")
    ] = None,
    models: Annotated[
        Path | None, typer.Option("--models", help="Repository to serve; default: offline.")
    ] = None,
) -> None:
    """Run a fixed input through every served model; shapes, latency and memory of each.

    Memory is that of the model's processes, where they run on this machine.
    """
    from streamer.embedded.footprints import model_memory
    from streamer.models.check import check_models

    memory: Mapping[str, int] = {}
    with ExitStack() as services:
        if triton is None:
            repository = models or offline_repository()
            results = check_models(serve_repository(services, repository))
            memory = model_memory(repository)
        else:
            results = check_models(triton)
    if not results:
        raise UsageError(f"Triton serves no model: {triton or models} holds none")
    Console().print(_table(results, memory))
    raise typer.Exit(1 if any(result.error for result in results) else 0)


@app.command(
    epilog="Example: streamer models calibrate --truth reel.json --profile mine.toml -o fit.toml"
)
def calibrate(
    truth: TruthOption,
    more: MoreTruths = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the profile with the new values.")
    ] = None,
    profile: ProfileOption = "offline",
    triton: TritonOption = None,
    models: ModelsOption = None,
) -> None:
    """Find the splitting distances that fit the served ``clip`` model.

    Take videos with known joins of all kinds, 100 joins or more: `streamer eval reel` makes them.
    The still and repeat distances are left as they are.
    """
    from streamer.evaluate.calibration import PASSES
    from streamer.evaluate.calibration import calibrate as fit
    from streamer.evaluate.manifest import load_manifest
    from streamer.models.profile import load_profile, with_distances
    from streamer_client.triton import TritonModels

    before = load_profile(profile).clip.model_dump()
    videos = [load_manifest(path) for path in [*truth, *(more or [])]]
    settings = load_settings(None, {})
    with ExitStack() as services:
        url = triton or serve_models(services, models)
        served = services.enter_context(TritonModels(url, settings.triton.timeout_seconds))
        bar = services.enter_context(progress_bar())
        task = bar.add_task("probing", total=PASSES * sum(each.frames for _, each in videos))
        fits = fit(videos, served, settings, lambda frames: bar.update(task, advance=frames))
    Console().print(_fits(fits, before))
    if output is not None:
        write_text(output, with_distances(profile, {each.name: each.value for each in fits}))


def _fits(fits: list[Fit], before: dict[str, float]) -> Table:
    table = Table("distance", "profile", "fits", "as good", "score")
    for each in fits:
        span = f"{each.low:.2f} to {each.high:.2f}"
        values = f"{before[each.name]:.2f}", f"{each.value:.2f}", span, f"{each.score:.3f}"
        table.add_row(each.name, *values)
    return table


def _table(results: list[CheckResult], memory: Mapping[str, int]) -> Table:
    table = Table("model", "version", "batch", "in", "out", "ms", "MB")
    for result in results:
        out = result.error or _shapes(result.outputs)
        latency = "" if result.latency_ms is None else f"{result.latency_ms:.1f}"
        held = f"{memory[result.model] / 1e6:.0f}" if result.model in memory else ""
        row = (str(result.batch), _shapes(result.inputs), out, latency, held)
        table.add_row(result.model, result.version, *row)
    return table


def _shapes(shapes: Shapes) -> str:
    return "\n".join(f"{name} {list(shape)}" for name, shape in shapes.items())
