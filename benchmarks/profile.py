"""Where the processor time of a job goes: by process, and by function of the pipeline.

Run ``python -m benchmarks.profile`` in the project's root.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import media
from benchmarks.media import Reel
from benchmarks.processes import command_of, cpu_seconds, descendants_of
from benchmarks.service import Observed, fresh_service, run_directly, warm_services
from streamer.config import AcquireSettings, Settings
from streamer_client.triton import TritonModels

Seconds = dict[str, float]

RUNS = 3
STUB = "triton_python_backend_stub"
# What a command line contains, and what the process is called.
NAMES = {
    "guard.py": "guards",
    "resource_tracker": "guards",
    "spawn_main": "slot",
    "streamer --verbose worker": "worker",
    "tritonserver": "triton server",
    "tansu": "broker",
}


def main() -> None:
    """Print processor seconds of a job by process, both ways, and the costliest functions."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as name:
        folder = Path(name)
        reel = media.reel(folder)
        allowed = AcquireSettings(allowed_roots=(reel.path.parent, folder))
        with warm_services(Settings(acquire=allowed), folder / "logs") as settings:
            _profile(reel, settings, folder / "logs", arguments.functions)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions", type=int, default=20, help="how many (%(default)s)")
    return parser.parse_args()


def _profile(reel: Reel, settings: Settings, logs: Path, functions: int) -> None:
    connection = TritonModels(settings.triton.url, settings.triton.timeout_seconds)
    with fresh_service(settings, logs) as service, connection as models:

        def directly() -> Observed:
            return run_directly(reel, models, settings)

        ways = {"through Kafka": lambda: service.run(reel), "directly": directly}
        for job in ways.values():
            job()
        rounds = [{way: _spent(job) for way, job in ways.items()} for _ in range(RUNS)]
        _print_processes(rounds)
        _print_functions(directly, functions)


def _spent(job: Callable[[], Observed]) -> Seconds:
    """Processor seconds of each kind of process during a job, and its wall seconds."""
    before = _by_process()
    observed = job()
    after = _by_process()
    spent = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
    return {"wall": observed.wall_seconds, **spent}


def _by_process() -> Seconds:
    seconds: Seconds = defaultdict(float)
    for pid in (os.getpid(), *descendants_of(os.getpid())):
        seconds[_name_of(pid)] += cpu_seconds(pid)
    return seconds


def _name_of(pid: int) -> str:
    command = command_of(pid)
    if pid == os.getpid():
        return "this process"
    if STUB in command:
        script = next(part for part in command.split() if part.endswith("model.py"))
        return f"model {Path(script).parents[1].name}"
    return next((name for part, name in NAMES.items() if part in command), command[:40])


def _print_processes(rounds: list[dict[str, Seconds]]) -> None:
    ways = list(rounds[0])
    table = Table("process", *ways, title=f"processor seconds of a job, mean of {RUNS}")
    for name in sorted(rounds[0][ways[0]], key=lambda name: -rounds[0][ways[0]][name]):
        means = (statistics.fmean(each[way].get(name, 0.0) for each in rounds) for way in ways)
        table.add_row(name, *(f"{mean:.2f}" for mean in means))
    Console().print(table)


def _print_functions(job: Callable[[], Observed], functions: int) -> None:
    profile = cProfile.Profile()
    profile.runcall(job)
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(functions)


if __name__ == "__main__":
    main()
