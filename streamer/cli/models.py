"""Commands for model repositories: ``models list``, ``build``, ``check``."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.display import working
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.models.check import CheckResult, Shapes
    from streamer.models.profile import ServedModel

app = typer.Typer(no_args_is_help=True, help="Profiles of models and Triton repositories.")

ProfileOption = Annotated[
    str, typer.Option(help="Name of a shipped profile, or a TOML file of your own.")
]


@app.command("list", epilog="Example: streamer models list")
def list_profiles() -> None:
    """Show the profiles and their models."""
    from streamer.models.profile import available_profiles, load_profile

    table = Table("profile", "models", "ranking", "for")
    for profile in map(load_profile, available_profiles()):
        served = "\n".join(f"{name}: {_version(model)}" for name, model in profile.models.items())
        table.add_row(profile.name, served, profile.caption.ranking, profile.summary)
    Console().print(table)


def _version(model: ServedModel) -> str:
    try:
        return model.version
    except UsageError:
        return f"{', '.join(model.packages)} (not installed)"


@app.command(epilog="Example: streamer models build --profile offline --output models")
def build(
    output: Annotated[Path, typer.Option(help="Folder to write; replaced if it is out of date.")],
    profile: ProfileOption = "offline",
) -> None:
    """Write a model repository that Triton serves as it is."""
    from streamer.models.build import build_repository, is_current
    from streamer.models.profile import load_profile

    chosen = load_profile(profile)
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
    """Run a fixed input through every served model; shapes and latency of each."""
    from streamer.models.check import check_models

    with ExitStack() as services:
        url = triton or _serve(services, models)
        results = check_models(url)
    if not results:
        raise UsageError(f"Triton serves no model: {models or url} holds none")
    Console().print(_table(results))
    raise typer.Exit(1 if any(result.error for result in results) else 0)


def _serve(services: ExitStack, models: Path | None) -> str:
    from streamer.embedded.triton import EmbeddedTriton
    from streamer.models.cache import cached_repository

    logs = Path(services.enter_context(tempfile.TemporaryDirectory(prefix="streamer-check-")))
    with working("starting Triton"):
        repository = models or cached_repository("offline")
        return services.enter_context(EmbeddedTriton(repository, log_dir=logs)).url


def _table(results: list[CheckResult]) -> Table:
    table = Table("model", "version", "batch", "in", "out", "ms")
    for result in results:
        out = result.error or _shapes(result.outputs)
        latency = "" if result.latency_ms is None else f"{result.latency_ms:.1f}"
        batch = str(result.batch)
        table.add_row(result.model, result.version, batch, _shapes(result.inputs), out, latency)
    return table


def _shapes(shapes: Shapes) -> str:
    return "\n".join(f"{name} {list(shape)}" for name, shape in shapes.items())
