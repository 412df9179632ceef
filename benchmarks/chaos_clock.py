"""A worker whose clock can be stepped: ``python -m benchmarks.chaos_clock FILE [ARGUMENT...]``.

Runs ``streamer`` with the arguments; ``time.time``, the only wall clock that a worker asks, is off
by the seconds that the file says, or right while there is none. Stepping the machine's own clock
would hurt more than the worker.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from streamer.cli import main


def step(offset: Path, seconds: float) -> None:
    """Step the clock of the worker that reads ``offset``: so far from the machine's."""
    unfinished = offset.with_suffix(".new")
    unfinished.write_text(str(seconds))
    unfinished.replace(offset)


def _stepped(clock: Callable[[], float], offset: Path) -> Callable[[], float]:
    return lambda: clock() + (float(offset.read_text()) if offset.exists() else 0.0)


if __name__ == "__main__":
    time.time = _stepped(time.time, Path(sys.argv.pop(1)))
    main()
