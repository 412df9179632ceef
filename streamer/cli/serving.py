"""What commands share that serve models for themselves, or decode at length."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from streamer.cli.display import working


def serve_models(services: ExitStack, repository: Path | None) -> str:
    """Start Triton until ``services`` are closed; returns its gRPC address.

    Args:
        services: what to stop later.
        repository: what to serve; the offline models if None.
    """
    return serve_repository(services, repository or offline_repository())


def offline_repository() -> Path:
    """The offline models, built if need be."""
    from streamer.models.cache import cached_repository

    with working("building the offline models"):
        return cached_repository("offline")


def serve_repository(services: ExitStack, repository: Path) -> str:
    """Start Triton on a repository until ``services`` are closed; returns its gRPC address."""
    from streamer.embedded.triton import EmbeddedTriton

    logs = Path(services.enter_context(tempfile.TemporaryDirectory(prefix="streamer-logs-")))
    with working("starting Triton"):
        return services.enter_context(EmbeddedTriton(repository, log_dir=logs)).url


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar with the time that remains; nothing where there is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        yield bar
