"""An hour of jobs, one after the other: what grows in a worker and its slot?

``python -m benchmarks.soak [--minutes N]``. After each job, memory, open files, threads and
temporary files are counted; what they grow by is the slope of a line through the samples after the
warm-up, per hour. The exit status is 1 if one grows beyond its bound.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.media import Reel
from benchmarks.processes import resident_mb, slot_of
from benchmarks.report import circumstances
from benchmarks.service import Service, fresh_service, warm_services
from streamer.config import Settings
from streamer.sample_reel import make_sample_reel

# Caches and pools fill at first: the first jobs say nothing of growth.
WARM_UP = 0.25
FEWEST_SAMPLES = 8


@dataclass(frozen=True)
class Measure:
    """Something that should stay flat.

    Attributes:
        bound: growth per hour that is still called flat. Memory gets some room: the allocator
            keeps what it was given, and its pools fill slowly.
        of: counts it, given the process id and the temporary directory.
    """

    name: str
    bound: float
    of: Callable[[int, Path], float]


MEASURES = (
    Measure("memory, MB", 20.0, lambda pid, _: resident_mb(pid)),
    Measure("open files", 2.0, lambda pid, _: _entries(Path(f"/proc/{pid}/fd"))),
    Measure("threads", 2.0, lambda pid, _: _entries(Path(f"/proc/{pid}/task"))),
)
TEMPORARY = Measure("temporary files", 0.5, lambda _, folder: _entries(folder))

Sample = dict[str, float]


@dataclass(frozen=True)
class Growth:
    """First and last value after the warm-up, and the slope per hour."""

    name: str
    first: float
    last: float
    per_hour: float
    bound: float

    @property
    def grows(self) -> bool:
        """Whether it is beyond its bound."""
        return self.per_hour > self.bound


def main() -> int:
    """Run jobs for so many minutes; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name:
        hours, samples = _soak(Path(name), minutes)
    rows = growth(hours, samples)
    _show(rows, len(samples), minutes)
    return 1 if any(row.grows for row in rows) else 0


def growth(hours: list[float], samples: list[Sample]) -> list[Growth]:
    """Growth of each measure after the warm-up.

    Args:
        hours: when each sample was taken, ascending.
        samples: values by measure.

    Raises:
        RuntimeError: if there are too few samples to tell.
    """
    start = int(WARM_UP * len(samples))
    if len(samples) - start < FEWEST_SAMPLES:
        raise RuntimeError(f"{len(samples)} jobs ended, too few to tell: raise --minutes")
    bounds = {name: measure.bound for name, measure in _measures().items()}
    return [
        _growth(name, hours[start:], [each[name] for each in samples[start:]], bound)
        for name, bound in bounds.items()
    ]


def _growth(name: str, hours: list[float], values: list[float], bound: float) -> Growth:
    slope = float(np.polyfit(hours, values, 1)[0])
    return Growth(name, values[0], values[-1], slope, bound)


def _measures() -> dict[str, Measure]:
    of_both = {f"{who}: {each.name}": each for who in ("worker", "slot") for each in MEASURES}
    return {**of_both, TEMPORARY.name: TEMPORARY}


def _soak(folder: Path, minutes: float) -> tuple[list[float], list[Sample]]:
    temp_dir, reel = folder / "temp", make_sample_reel(folder / "reel.mp4").path
    temp_dir.mkdir()
    settings = Settings().with_section("acquire", allowed_roots=(folder,), temp_dir=temp_dir)
    hours: list[float] = []
    samples: list[Sample] = []
    with (
        warm_services(settings, folder) as connected,
        fresh_service(connected, folder) as service,
    ):
        for elapsed in _until(minutes * 60):
            service.run(Reel(reel, 0.0, "sample reel"))
            hours.append(elapsed() / 3600)
            samples.append(_sample(service, temp_dir))
    return hours, samples


def _until(seconds: float) -> Iterator[Callable[[], float]]:
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        yield lambda: time.monotonic() - start


def _sample(service: Service, temp_dir: Path) -> Sample:
    pids = {"worker": service.worker_pid, "slot": slot_of(service.worker_pid)}
    return {
        name: measure.of(pids.get(name.partition(":")[0], 0), temp_dir)
        for name, measure in _measures().items()
    }


def _entries(folder: Path) -> int:
    return len(os.listdir(folder))  # noqa: PTH208 - of /proc, which changes meanwhile


def _show(rows: list[Growth], jobs: int, minutes: float) -> None:
    table = Table("what", "after warm-up", "at the end", "per hour", "bound", "")
    for row in rows:
        cells = (row.first, row.last, row.per_hour, row.bound)
        table.add_row(
            row.name, *(f"{cell:.1f}" for cell in cells), "GROWS" if row.grows else "flat"
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(
        "\n".join([f"{jobs} jobs in {minutes:g} minutes", *circumstances()]), markup=False
    )


if __name__ == "__main__":
    sys.exit(main())
