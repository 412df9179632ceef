"""Figures for people: a table on the terminal, or Markdown with all that they depend on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from sys import stdout

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure
from streamer.decode.gpu import DALI_PACKAGES

COLUMNS = ("figure", "value", "runs", "bar", "")
WIDTH = 120  # where there is no terminal
PACKAGES = (
    *("streamer", "av", "numpy", "onnxruntime", "kafka-python", "nvidia-pytriton"),
    *DALI_PACKAGES,
)
VERDICT_STYLES = {"pass": "green", "miss": "bold red", "": ""}


def report(figures: Sequence[Figure], notes: Sequence[str], *, as_markdown: bool) -> int:
    """Print all that was measured; the exit status is 1 if a bar is missed."""
    if as_markdown:
        print(markdown(figures, notes))
    else:
        print_table(figures, notes)
    return 1 if any(figure.missed for figure in figures) else 0


def print_table(figures: Sequence[Figure], notes: Sequence[str]) -> None:
    """A table on the terminal, with the verdicts in colour."""
    table = Table(*COLUMNS)
    for figure in figures:
        *cells, verdict = figure.cells()
        table.add_row(*cells, verdict, style=VERDICT_STYLES[verdict] if figure.missed else "")
    console = Console(highlight=False, soft_wrap=True, width=None if stdout.isatty() else WIDTH)
    console.print(table)
    console.print("\n".join([*circumstances(), *notes]), markup=False)


def markdown(figures: Sequence[Figure], notes: Sequence[str]) -> str:
    """The same as a Markdown page's worth of text."""
    rows = [COLUMNS, ("---", "---:", "---", "---:", "---"), *(each.cells() for each in figures)]
    table = [f"| {' | '.join(row)} |" for row in rows]
    remarks = [f"- {line}" for line in (*circumstances(), *notes)]
    return "\n".join([*table, "", *remarks])


def circumstances() -> list[str]:
    """When, where and with what the figures were taken, a line each."""
    minute, five, quarter = os.getloadavg()
    return [
        f"date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"machine: {_processor()}, {len(os.sched_getaffinity(0))} cores, {_memory()}",
        f"load at the end, over 1, 5 and 15 minutes: {minute:.1f}, {five:.1f}, {quarter:.1f}",
        f"versions: Python {platform.python_version()}, " + ", ".join(_installed()),
    ]


def _installed() -> Iterator[str]:
    """Those of the packages that are there: DALI comes for one CUDA or the other."""
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{total / (1 << 30):.0f} GiB of memory"
