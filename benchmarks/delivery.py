"""What exactly-once costs: short jobs through a worker, in both deliveries, in one run.

``python -m benchmarks.delivery [--jobs N] [--rounds N]``. The deliveries take turns, so that
whatever else the machine does meets both alike.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.report import circumstances
from benchmarks.service import warm_services
from streamer.config import Settings
from streamer.embedded.services import local_worker
from streamer.kafka_clients import create_topics, make_consumer, make_producer
from streamer.sample_reel import make_sample_reel
from streamer_client.jobs import submit
from streamer_client.records import VideoDone, VideoJob
from streamer_client.results import ResultReader
from streamer_client.topics import Topics

DELIVERIES = ("at-least-once", "exactly-once")
PATIENCE_SECONDS = 600.0


def main() -> None:
    """Measure and print jobs per second in each delivery, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rates = _measure(Path(folder), arguments.jobs, arguments.rounds)
    for delivery, values in rates.items():
        each = ", ".join(f"{value:.3f}" for value in values)
        print(f"{delivery}: {statistics.median(values):.3f} jobs/s ({each})")
    once, least = (statistics.median(rates[name]) for name in ("exactly-once", "at-least-once"))
    print(f"exactly-once / at-least-once: {once / least:.3f}")
    print("\n".join(circumstances()))


def _measure(folder: Path, jobs: int, rounds: int) -> dict[str, list[float]]:
    reel = make_sample_reel(folder / "reel.mp4").path
    settings = Settings().with_section("acquire", allowed_roots=(folder,))
    rates: dict[str, list[float]] = {name: [] for name in DELIVERIES}
    with warm_services(settings, folder) as served:
        _rate(served, "warm-up", DELIVERIES[0], reel, 2)
        for number in range(rounds):
            for delivery in DELIVERIES:
                rate = _rate(served, f"{delivery}.{number}", delivery, reel, jobs)
                rates[delivery].append(rate)
    return rates


def _rate(served: Settings, name: str, delivery: str, reel: Path, jobs: int) -> float:
    """Jobs per second between the first and the last end."""
    settings = served.with_section("kafka", topic_prefix=f"{name}.", group=name)
    settings = settings.with_section("worker", delivery=delivery)
    create_topics(settings.kafka)
    topics, producer = Topics(settings.kafka.topic_prefix), make_producer(settings.kafka)
    for number in range(jobs + 1):
        submit(producer, topics, VideoJob(url=str(reel), video_id=f"{name}-{number}"))
    producer.flush()
    reader = ResultReader(make_consumer(settings.kafka), topics, start="beginning")
    with local_worker(settings, Path(reel.parent)):
        ends: list[float] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(ends) <= jobs:
            assert time.monotonic() < deadline, f"{len(ends)} of {jobs + 1} jobs ended"
            for record in reader.poll(0.02):
                if isinstance(record, VideoDone):
                    assert record.status == "done", record.error
                    ends.append(time.monotonic())
    return jobs / (ends[-1] - ends[0])


if __name__ == "__main__":
    main()
