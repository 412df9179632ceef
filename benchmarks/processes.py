"""Memory and processor time of processes, from ``/proc`` (Linux only)."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
# Of the fields behind the command's name, from 0; the latter two are of children that have ended.
_UTIME, _STIME, _CUTIME, _CSTIME = 11, 12, 13, 14


def slot_of(worker: int) -> int:
    """Process id of a worker's only slot.

    Raises:
        RuntimeError: if it has none, or several.
    """
    slots = [pid for pid in children_of(worker) if "spawn_main" in command_of(pid)]
    if len(slots) != 1:
        raise RuntimeError(f"worker {worker} has {len(slots)} slots, not 1")
    return slots[0]


def children_of(pid: int) -> list[int]:
    """Process ids of the children of all its threads."""
    listed = (path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(child) for text in listed for child in text.split()]


def descendants_of(pid: int) -> list[int]:
    """Process ids of its children, and theirs."""
    children = children_of(pid)
    return [*children, *(each for child in children for each in descendants_of(child))]


def command_of(pid: int) -> str:
    """Its command line, with blanks between the arguments."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()


def peak_mb(pid: int) -> float:
    """The most memory it ever had resident (``VmHWM``), in MB of 2**20 bytes."""
    return _memory_mb(pid, "VmHWM")


def resident_mb(pid: int) -> float:
    """Memory it has resident now (``VmRSS``), in MB of 2**20 bytes."""
    return _memory_mb(pid, "VmRSS")


def cpu_seconds(pid: int) -> float:
    """Processor time of all its threads so far, user and system."""
    return _seconds(pid, _UTIME, _STIME)


class OthersShare:
    """What processes that are not ours, and other machines on the host, take of the processors."""

    def __init__(self) -> None:
        self._since, self._others = time.monotonic(), _busy_seconds() - _own_seconds()

    def so_far(self) -> float:
        """Their part of all processor time since this was made, 0 to 1."""
        available = (time.monotonic() - self._since) * (os.cpu_count() or 1)
        return max(0.0, _busy_seconds() - _own_seconds() - self._others) / available


def _busy_seconds() -> float:
    first_line = Path("/proc/stat").read_text().partition("\n")[0]
    numbers = [int(field) for field in first_line.split()[1:]]
    user, nice, system, _idle, _waiting, interrupts, soft, stolen = numbers[:8]
    return (user + nice + system + interrupts + soft + stolen) / _TICK


def _own_seconds() -> float:
    pids = (os.getpid(), *descendants_of(os.getpid()))
    return sum(_seconds(pid, _UTIME, _STIME, _CUTIME, _CSTIME) for pid in pids)


def _seconds(pid: int, *places: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[place]) for place in places) / _TICK


def _memory_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
