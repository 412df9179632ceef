"""How much memory each model of a Triton on this machine holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

PROC = Path("/proc")


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
