from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamer.errors import Unavailable

DEADLINE_SECONDS = 180.0  # Far more than it takes: both processors may be busy with others.

StartParent = Callable[[str], subprocess.Popen[str]]


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def has_ended(check: Callable[[], None]) -> bool:
    """Whether a service's own check says that it has ended."""
    try:
        check()
    except Unavailable:
        return True
    return False


def runs(pid: int) -> bool:
    """Whether the process or a thread of it is alive: a zombie's threads still hold its files."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    fields = status.rpartition(")")[2].split()
    state, threads = fields[0], int(fields[17])
    return state != "Z" or threads > 1


def with_argument(text: str) -> list[int]:
    """The processes that have ``text`` somewhere on their command line."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if text.encode() in (directory / "cmdline").read_bytes():
                found.append(int(directory.name))
    return [pid for pid in found if runs(pid) and pid != os.getpid()]


@pytest.fixture
def start_parent(tmp_path: Path) -> Iterator[StartParent]:
    """Starts a Python program of its own process group that a test may kill."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        path = tmp_path / "parent.py"
        path.write_text(program)
        parent = subprocess.Popen(
            [sys.executable, str(path)], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(parent)
        return parent

    yield start
    for parent in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.communicate()


def answer(parent: subprocess.Popen[str]) -> list[str]:
    """The words of the next line that ``parent`` prints."""
    assert parent.stdout is not None
    words = parent.stdout.readline().split()
    assert words, "the parent ended without a word"
    return words
