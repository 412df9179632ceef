"""Families of processes, as ``/proc`` shows them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.embedded.conftest import runs


def descendants(pid: int) -> dict[int, str]:
    """Command lines of all processes below ``pid`` that run, by process id."""
    return {child: _command(child) for child in _below(pid) if runs(child)}


def children(pid: int) -> list[int]:
    """The processes that ``pid`` started itself."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(child) for child in task.read_text().split()]
    return found


def slots_of(worker: int) -> list[int]:
    """Process ids of a worker's slots."""
    return [child for child in children(worker) if "spawn_main" in _command(child)]


def workspaces(temp_dir: Path) -> list[Path]:
    """Temporary directories of fetches, each named for its process id."""
    return list(temp_dir.glob("streamer-[0-9]*"))


def wait_for_end(pids: Iterable[int], seconds: float) -> None:
    """Wait until none of the processes runs; zombies do not."""
    deadline = time.monotonic() + seconds
    while left := {pid: _command(pid) for pid in pids if runs(pid)}:
        assert time.monotonic() < deadline, f"these still run: {left}"
        time.sleep(0.1)


def _below(pid: int) -> Iterator[int]:
    for child in children(pid):
        yield child
        yield from _below(child)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""
