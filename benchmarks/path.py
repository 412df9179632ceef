"""The way of a job from Kafka to Kafka: speed, cost, first boundary and memory in one run.

Run ``make bench``, or ``python -m benchmarks.path`` in the project's root; it takes about five
minutes on two cores, a third of them for an hour of video. ``--quick`` leaves memory out.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import decode, media
from benchmarks.figures import Bar, Figure, quotients
from benchmarks.media import Reel
from benchmarks.memory import Memory, memory_of
from benchmarks.processes import OthersShare
from benchmarks.report import report
from benchmarks.service import Observed, fresh_service, run_directly, warm_services
from streamer.config import AcquireSettings, Settings
from streamer_client.triton import TritonModels

RUNS = 7
SHORT_RUNS = 3  # a peak depends on chance: what was in flight when
SHORT_MINUTES, LONG_MINUTES, LARGE_MINUTES = 5, 60, 2

progress = Console(stderr=True, highlight=False)


def main() -> int:
    """Measure, print, and return 1 if a bar is missed."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as folder:
        figures, notes = _measure(Path(folder), arguments.runs, arguments.quick)
    return report(figures, notes, as_markdown=arguments.markdown)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="write Markdown")
    parser.add_argument("--quick", action="store_true", help="leave out the memory figures")
    parser.add_argument("--runs", type=int, default=RUNS, help="repetitions (%(default)s)")
    return parser.parse_args()


def _measure(folder: Path, runs: int, quick: bool) -> tuple[list[Figure], list[str]]:
    reel = media.reel(folder)
    allowed = AcquireSettings(allowed_roots=(reel.path.parent, folder))
    with warm_services(Settings(acquire=allowed), folder / "logs") as settings:
        both = _interleaved(reel, settings, folder / "logs", runs)
        figures = [*_speed(reel, both), *_first_boundary(both)]
        if not quick:
            figures += _memory(reel, settings, folder)
    progress.print("decoding alone and in the stage")
    notes = [
        f"video: {reel.name}, {reel.seconds:.0f} s; default preset, offline models, one slot",
        f"other work on this machine: {both.others_share:.0%} of its processors during the jobs",
    ]
    return [*figures, *decode.measure(reel.path, settings.decode)], notes


@dataclass(frozen=True)
class _Both:
    """Runs of the same job both ways, in turn, and what others took of the processors then."""

    service: list[Observed]
    direct: list[Observed]
    others_share: float


def _interleaved(reel: Reel, settings: Settings, logs: Path, runs: int) -> _Both:
    """Through Kafka and a slot, and directly, after a job each to warm up."""
    connection = TritonModels(settings.triton.url, settings.triton.timeout_seconds)
    with fresh_service(settings, logs) as service, connection as models:

        def pair(number: int) -> tuple[Observed, Observed]:
            progress.print(f"through Kafka and directly: run {number} of {runs}")
            return service.run(reel), run_directly(reel, models, settings)

        pair(0)
        others = OthersShare()
        pairs = [pair(number + 1) for number in range(runs)]
        return _Both([a for a, _ in pairs], [b for _, b in pairs], others.so_far())


def _speed(reel: Reel, both: _Both) -> list[Figure]:
    through = [each.wall_seconds for each in both.service]
    direct = [each.wall_seconds for each in both.direct]
    cost = statistics.median(through) / statistics.median(direct)
    speeds = tuple(reel.seconds / wall for wall in through)
    name = "job through Kafka and slot ÷ pipeline alone"
    return [
        Figure("job, from Kafka to Kafka", speeds, "x real time", 1, Bar(15, at_least=True)),
        Figure(f"{name}, medians", (cost,), "", 3, Bar(1.10)),
        Figure(f"{name}, run by run", quotients(through, direct), "", 3),
    ]


def _first_boundary(both: _Both) -> list[Figure]:
    taken = tuple(each.done.timings["first_boundary"] for each in both.service)
    submitted = tuple(each.boundary_seconds for each in both.service)
    return [
        Figure("first boundary, after the job is taken", taken, "s", 2, Bar(2)),
        Figure("first boundary at the consumer, after submit", submitted, "s", 2, Bar(2)),
    ]


def _memory(reel: Reel, settings: Settings, folder: Path) -> list[Figure]:
    """A slot's peak at 1080p, and over a short and a long video; each in a slot of its own."""
    progress.print("writing a 1080p video")
    source = media.enlarged(reel, folder / "large-source.mp4")
    large = _peak(source, LARGE_MINUTES, settings, folder)
    short = [_peak(reel, SHORT_MINUTES, settings, folder) for _ in range(SHORT_RUNS)]
    long = _peak(reel, LONG_MINUTES, settings, folder)
    started = tuple(each.start_mb for each in (large, *short, long))
    peaks = tuple(each.peak_mb for each in short)
    ratio = long.peak_mb / statistics.median(peaks)
    speed = LONG_MINUTES * 60 / long.observed.wall_seconds
    short_video, long_video = (f"{each} minutes of video" for each in (SHORT_MINUTES, LONG_MINUTES))
    return [
        Figure("slot before its first job", started, "MB", 0),
        Figure("peak of a slot, 1080p", (large.peak_mb,), "MB", 0, Bar(700)),
        Figure(f"peak of a slot, {short_video}", peaks, "MB", 0),
        Figure(f"peak of a slot, {long_video}", (long.peak_mb,), "MB", 0),
        Figure(f"peak, {long_video} ÷ {SHORT_MINUTES}, medians", (ratio,), "", 3, Bar(1.10)),
        Figure(f"growth over {long_video}", (long.growth_mb_per_minute,), "MB/min"),
        Figure(long_video, (speed,), "x real time", 1),
    ]


def _peak(source: Reel, minutes: int, settings: Settings, folder: Path) -> Memory:
    progress.print(f"memory over {minutes} minutes of {source.path.name}")
    video = media.repeated(source, minutes * 60, folder / f"{source.path.stem}-{minutes}.mp4")
    return memory_of(video, settings, folder / "logs")


if __name__ == "__main__":
    raise SystemExit(main())
