"""The command that says what this machine has and how the service will decode."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.display import working
from streamer.cli.options import (
    BootstrapOption,
    ConfigOption,
    DecoderOption,
    DeviceOption,
    TritonOption,
)
from streamer.config import load_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Examples: streamer doctor    streamer doctor --json --decoder dali")(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    bootstrap: BootstrapOption = None,
    triton: TritonOption = None,
    decoder: DecoderOption = None,
    device: DeviceOption = None,
    config: ConfigOption = None,
) -> None:
    """Show what this machine has (GPU, DALI, memory, Triton, Kafka) and what will decode, and why.

    The exit code is 1 only if this machine cannot decode as the settings ask.
    """
    from streamer.diagnosis import examine

    flags: dict[str, dict[str, Any]] = {
        "kafka": {"bootstrap": bootstrap},
        "triton": {"url": triton},
        "decode": {"decoder": decoder, "device": device},
    }
    with working("looking at this machine"):
        findings = [*examine(load_settings(config, flags))]
    if as_json:
        typer.echo(json.dumps({"findings": [*map(dataclasses.asdict, findings)]}, indent=2))
    else:
        table = Table(show_header=False, box=None)
        for finding in findings:
            table.add_row("✓" if finding.is_good else "✗", finding.name, finding.found)
        Console(highlight=False).print(table)
    raise typer.Exit(0 if findings[-1].is_good else 1)
