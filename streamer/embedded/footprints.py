"""What the processes of models of a Triton on this machine do: memory, and whether one died."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

PROC = Path("/proc")
STUB = "triton_python_b"  # The kernel keeps 15 characters of the name.


def model_memory(repository: Path) -> Mapping[str, int]:
    """Bytes of each Python model that is served from the repository, its instances together.

    Proportional set sizes: what processes share is counted once. A stub of Triton's Python backend
    has the path of its ``model.py`` on its command line.
    """
    memory: Counter[str] = Counter()
    for process, arguments in _processes():
        for path in map(Path, arguments):
            if path.name == "model.py" and path.parents[2:3] == (repository.absolute(),):
                memory[path.parents[1].name] += _proportional_bytes(process)
    return memory


def parents_of_dead_stubs() -> set[int]:
    """Process ids of the Tritons of which a model has no process any more.

    Triton does not wait for a stub that has ended, so it stays as a zombie; it starts no other one.
    """
    states = map(_state, PROC.glob("[0-9]*"))
    return {parent for name, state, parent in states if (name, state) == (STUB, "Z")}


def _state(process: Path) -> tuple[str, str, int]:
    """Name, state and parent of a process, as ``proc_pid_stat(5)`` has them."""
    try:
        before, _, after = (process / "stat").read_text().rpartition(") ")
    except OSError:  # It has gone altogether.
        return "", "", 0
    state, parent = after.split()[:2]
    return before.partition("(")[2], state, int(parent)


def _processes() -> Iterator[tuple[Path, list[str]]]:
    for process in PROC.glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:  # It has ended.
            continue
        yield process, line.decode(errors="replace").split("\0")


def _proportional_bytes(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
