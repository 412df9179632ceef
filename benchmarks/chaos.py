"""Short jobs while everything around them breaks; then the audit of what became of them.

``python -m benchmarks.chaos [--delivery WHICH] [--jobs N] [--workers N] [--faults N] [--seed N]
[--minutes N]``. The exit status is 1 if a job is lost, half done, or done more often than the
delivery allows.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.chaos_cluster import Cluster
from benchmarks.chaos_faults import FAULTS, sequence
from benchmarks.chaos_place import DISK_MB, small_disk, tiny_films, web_server
from benchmarks.report import circumstances
from streamer.audit import Ledger, Report, account, read_ledger
from streamer.config import Settings
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.ports import LOOPBACK, free_ports
from streamer.embedded.triton import EmbeddedTriton
from streamer.kafka_clients import create_topics, make_producer
from streamer.models.cache import cached_repository
from streamer_client.jobs import submit
from streamer_client.records import VideoJob
from streamer_client.topics import Topics

DELIVERIES = ("at-least-once", "exactly-once")
SESSION_SECONDS = 6.0
JOB_SECONDS = 45.0
QUIET_SECONDS = 3.0
# From a fault's jobs to the fault.
AMID_SECONDS = (0.3, 2.0)
SETTLING_SECONDS = 600.0
ACKNOWLEDGED_SECONDS = 120.0
# One job in so many names a file that is not there, and must end as a dead letter.
BAD_EVERY = 25


@dataclass(frozen=True)
class Injected:
    """A fault: seconds since the start, what it was, how it went."""

    at: float
    kind: str
    detail: str


@dataclass(frozen=True)
class Outcome:
    """One delivery's run.

    Attributes:
        missing: acknowledged jobs that the broker does not have.
        gave_up: last words of workers that ended by themselves.
    """

    injected: list[Injected]
    report: Report
    missing: list[str]
    gave_up: list[str]
    seconds: float

    @property
    def adds_up(self) -> bool:
        """Whether nothing was lost, half done or done too often, and nothing is left to do."""
        counts = self.report.counts
        unfinished = counts["still open"] + counts["waiting for a retry"]
        return not (self.report.faults or self.missing or unfinished)


def main() -> int:
    """Run each delivery wanted; the exit status."""
    arguments = _arguments()
    wanted = DELIVERIES if arguments.delivery == "both" else (arguments.delivery,)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(arguments.logs or name)
        folder.mkdir(parents=True, exist_ok=True)
        films = list(tiny_films(Path(name), _chance(arguments)))
        with web_server(Path(name)) as site:
            sources = [str(film) for film in films] + [f"{site}/{film.name}" for film in films]
            fine = [_ran_well(each, arguments, sources, folder / each) for each in wanted]
    print("\n".join([f"seed: {arguments.seed}", *circumstances()]))
    return 0 if all(fine) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delivery", choices=[*DELIVERIES, "both"], default="both")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--faults", type=int, default=2 * len(FAULTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=8.0, help="over which faults are spread")
    parser.add_argument("--logs", help="folder that keeps the logs of all processes")
    return parser.parse_args()


def _chance(arguments: argparse.Namespace) -> random.Random:
    return random.Random(arguments.seed)  # noqa: S311


def _ran_well(delivery: str, arguments: argparse.Namespace, sources: list[str], logs: Path) -> bool:
    outcome = _run(delivery, arguments, sources, logs)
    _show(delivery, outcome)
    return outcome.adds_up


def _run(delivery: str, arguments: argparse.Namespace, sources: list[str], logs: Path) -> Outcome:
    with ExitStack() as services:
        broker = services.enter_context(EmbeddedBroker(log_dir=logs))
        repository, (port,) = cached_repository("offline"), free_ports(1)
        triton = services.enter_context(EmbeddedTriton(repository, log_dir=logs, port=port))
        temp_dir = Path(services.enter_context(tempfile.TemporaryDirectory()))
        disk = temp_dir if services.enter_context(small_disk(temp_dir)) else None
        settings = _settings(delivery, broker, triton, Path(sources[0]).parent, temp_dir)
        create_topics(settings.kafka)
        cluster = Cluster(settings, broker, triton, arguments.workers, logs, disk)
        return _torment(services.enter_context(cluster), settings, arguments, sources)


def _settings(
    delivery: str, broker: EmbeddedBroker, triton: EmbeddedTriton, folder: Path, temp_dir: Path
) -> Settings:
    """A worker that finds out soon what is wrong, and tries again soon."""
    acquire = {
        "allowed_roots": (folder,),
        "allowed_networks": (IPv4Network(f"{LOOPBACK}/32"),),
        "temp_dir": temp_dir,
        "min_free_mb": DISK_MB // 4,
    }
    worker = {"delivery": delivery, "job_timeout_seconds": JOB_SECONDS, "grace_seconds": 5.0}
    return (
        Settings()
        .with_section("kafka", bootstrap=broker.bootstrap, session_timeout_seconds=SESSION_SECONDS)
        .with_section("triton", url=triton.url)
        .with_section("acquire", **acquire)
        .with_section("decode", threads=1)
        .with_section("worker", **worker)
        .with_section("retry", base_seconds=0.5, max_seconds=5.0)
    )


def _torment(
    cluster: Cluster, settings: Settings, arguments: argparse.Namespace, sources: list[str]
) -> Outcome:
    chance, start = _chance(arguments), time.monotonic()
    gap = arguments.minutes * 60 / arguments.faults
    jobs = [_job(number, sources) for number in range(arguments.jobs)]
    injected: list[Injected] = []
    submitter = _Submitter(settings)
    for number, fault in enumerate(sequence(arguments.faults, chance)):
        time.sleep(max(0.0, start + number * gap - time.monotonic()))
        submitter.submit(jobs[number :: arguments.faults])
        time.sleep(chance.uniform(*AMID_SECONDS))  # They are under way.
        at = time.monotonic() - start
        injected.append(Injected(at, fault.__name__, fault(cluster, chance)))
        print(f"{at:6.1f} s {fault.__name__} {injected[-1].detail}", file=sys.stderr, flush=True)
    ledger = _settled(cluster, settings)
    report = account(ledger, exactly_once=settings.worker.delivery == "exactly-once")
    missing = sorted(submitter.acknowledged - {job.video_id for job in ledger.jobs})
    return Outcome(injected, report, missing, cluster.gave_up, time.monotonic() - start)


class _Submitter:
    """Puts jobs on the topic, and knows which ones the broker has acknowledged."""

    def __init__(self, settings: Settings):
        self._producer = make_producer(settings.kafka)
        self._topics = Topics(settings.kafka.topic_prefix)
        self.acknowledged: set[str] = set()

    def submit(self, jobs: list[VideoJob]) -> None:
        """Submit jobs and wait until the broker has them."""
        receipts = [(job, submit(self._producer, self._topics, job)) for job in jobs]
        for job, receipt in receipts:
            receipt.get(timeout=ACKNOWLEDGED_SECONDS)
            self.acknowledged.add(job.video_id)


def _job(number: int, sources: list[str]) -> VideoJob:
    url = sources[number % len(sources)]
    bad = number % BAD_EVERY == BAD_EVERY - 1
    return VideoJob(url=f"{url}.missing" if bad else url, video_id=f"job-{number:04d}")


def _settled(cluster: Cluster, settings: Settings) -> Ledger:
    """What stands on the topics once every job has ended, or after a long wait."""
    deadline = time.monotonic() + SETTLING_SECONDS
    while True:
        cluster.revive()
        ledger = read_ledger(settings.kafka, QUIET_SECONDS)
        unfinished = bool(ledger.waiting) or any(job.is_open for job in ledger.jobs)
        if not unfinished or time.monotonic() > deadline:
            return ledger


def _show(delivery: str, outcome: Outcome) -> None:
    console = Console(highlight=False, soft_wrap=True)
    faults = Table("at", "fault", "", title=f"{delivery}: {len(outcome.injected)} faults")
    for each in outcome.injected:
        faults.add_row(f"{each.at:.0f} s", each.kind, each.detail)
    counts = Table("records", "count", title=f"{delivery}: after {outcome.seconds:.0f} s")
    for name, count in outcome.report.counts.items():
        counts.add_row(name, str(count))
    console.print(faults, counts)
    lines = [f"{fault.kind} {fault.subject}: {fault.message}" for fault in outcome.report.faults]
    lines += [
        f"missing {video_id}: acknowledged, but not on videos" for video_id in outcome.missing
    ]
    lines += [f"ended by itself and was started again: {line}" for line in outcome.gave_up]
    lines.append(f"{delivery}: it {'adds up' if outcome.adds_up else 'does not add up'}")
    console.print("\n".join(lines), markup=False)


if __name__ == "__main__":
    sys.exit(main())
