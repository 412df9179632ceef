"""``streamer audit``: whether the records on the topics add up."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.display import working
from streamer.cli.options import BootstrapOption, ConfigOption, PrefixOption
from streamer.config import load_settings

if TYPE_CHECKING:
    from streamer.audit import Fault, Report

QUIET_SECONDS = 3.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: streamer audit --bootstrap kafka:9092    streamer audit --exactly-once"
    )(audit)


def audit(
    exactly_once: Annotated[
        bool, typer.Option(help="Records that stand on a topic twice are faults, too.")
    ] = False,
    quiet_seconds: Annotated[
        float, typer.Option(min=0.5, help="A topic ends where nothing came for so long.")
    ] = QUIET_SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    group: Annotated[str | None, typer.Option(help="Consumer group of the workers.")] = None,
    bootstrap: BootstrapOption = None,
    topic_prefix: PrefixOption = None,
    config: ConfigOption = None,
) -> None:
    """Read all topics and compare jobs with their ends, clips and captions.

    Nothing is changed, and no worker is disturbed. Exit code 1 if something does not add up, with a
    line that names each video: lost jobs, half jobs, records without a job. Jobs beyond the group's
    committed offset are still open. It ends when no record has come for a while, so audit when the
    service rests, and before retention removes what is to be compared.
    """
    from streamer.audit import account, read_ledger

    kafka = {"bootstrap": bootstrap, "topic_prefix": topic_prefix, "group": group}
    settings = load_settings(config, {"kafka": kafka})
    with working("reading the topics"):
        ledger = read_ledger(settings.kafka, quiet_seconds)
    report = account(ledger, exactly_once=exactly_once)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=True))
    else:
        _show(report, begins_late=ledger.begins_late)
    raise typer.Exit(1 if report.faults else 0)


def _show(report: Report, *, begins_late: bool) -> None:
    table = Table("records", "count", show_header=False)
    table.columns[1].justify = "right"
    for name, count in report.counts.items():
        table.add_row(name, str(count))
    Console().print(table)
    for fault in report.faults:
        typer.echo(_line(fault))
    if begins_late:
        typer.echo(
            "retention has removed records: orphans are counted but are no faults, and a lost or "
            "half job may be one whose records are gone"
        )
    typer.echo("it does not add up" if report.faults else "it adds up")


def _line(fault: Fault) -> str:
    """Ids are the submitters' own words: nothing in them may reach the terminal as a control."""
    subject = "".join(char if char.isprintable() else "�" for char in fault.subject)
    return f"{fault.kind} {subject}: {fault.message}"
