"""What happens to a slot costs its own job alone, and a worker leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamer.config import Settings
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.process import GuardedProcess
from streamer.embedded.services import local_worker
from streamer.sample_reel import SampleReel
from streamer_client.records import VideoDone, VideoJob
from tests.e2e.films import looped, vast_film
from tests.e2e.gate import Gate
from tests.e2e.installation import Installation, boundaries, own_topics
from tests.e2e.processes import slots_of
from tests.embedded.conftest import runs, wait_until
from tests.web import Web

pytestmark = pytest.mark.services


@dataclass(frozen=True)
class Running:
    """A worker of two slots at work, with tight limits."""

    installation: Installation
    worker: GuardedProcess

    def submit(self, url: str | Path, video_id: str) -> None:
        self.installation.produce(VideoJob(url=str(url), video_id=video_id).to_bytes())

    def error_kind(self, video_id: str) -> str:
        done = self.installation.done(video_id)
        assert done.status == "failed"
        assert done.error is not None
        assert done.error.stage == "worker"
        return done.error.kind


@pytest.fixture(scope="module")
def running(
    local: Settings, broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    tight = local.with_section("worker", slots=2, job_timeout_seconds=15.0, slot_memory_mb=330)
    by_pyav = tight.with_section("decode", decoder="pyav")  # CUDA alone may take as much.
    once = by_pyav.with_section("retry", max_attempts=1)
    installation = own_topics(once, broker, "slots", tmp_path_factory.mktemp("temp"))
    with local_worker(installation.settings, tmp_path_factory.mktemp("worker")) as worker:
        yield Running(installation, worker)


@pytest.fixture(scope="module", autouse=True)
def endless(running: Running, site: Web) -> str:
    """A job that never ends by itself, in one slot, while the tests use the other."""
    running.submit(site.url("/drip-body.mp4"), "endless")
    wait_until(lambda: any(each.path == "/drip-body.mp4" for each in site.requests))
    return "endless"


def test_a_killed_slot_costs_its_job_alone(running: Running, reel: SampleReel, short: Path) -> None:
    long = looped(reel.path, reel.path.with_name("long.mp4"), 24)  # 10 minutes of video
    running.submit(long, "killed")
    running.submit(short, "next")
    running.installation.wait_for_boundary("killed")
    os.kill(_busiest(slots_of(running.worker.pid)), signal.SIGKILL)
    assert running.error_kind("killed") == "slot_crashed"
    done = running.installation.done("killed")
    assert done.clips == len(boundaries(running.installation.records("killed"))) > 0
    assert running.installation.done("next").status == "done"
    assert len(slots_of(running.worker.pid)) == 2


def _busiest(slots: list[int]) -> int:
    """The slot that computes: the other one waits for a server."""
    return max(slots, key=_processor_ticks)


def _processor_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_job_that_needs_too_much_memory(running: Running, reel: SampleReel, short: Path) -> None:
    running.submit(vast_film(reel.path.with_name("vast.mp4")), "vast")
    running.submit(short, "after vast")
    assert running.error_kind("vast") == "slot_memory"
    assert running.installation.done("after vast").status == "done"


def test_a_job_that_takes_too_long(running: Running, endless: str, short: Path) -> None:
    assert running.error_kind(endless) == "slot_timeout"
    running.submit(short, "after endless")
    assert running.installation.done("after endless").status == "done"
    wait_until(lambda: not running.installation.uncommitted())
    assert list(running.installation.settings.acquire.temp_dir.iterdir()) == []


@pytest.mark.parametrize("delivery", ["at-least-once", "exactly-once"])
def test_a_worker_that_is_told_to_stop_finishes_or_hands_back(
    delivery: str,
    local: Settings,
    broker: EmbeddedBroker,
    site: Web,
    short: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    temp_dir = tmp_path_factory.mktemp("temp")
    patient = local.with_section("worker", slots=2, grace_seconds=4.0, delivery=delivery)
    installation = own_topics(patient, broker, f"stop.{delivery}", temp_dir)
    content = short.read_bytes()
    finished = Gate(site, f"/finished.{delivery}.mp4", content)
    handed_back = Gate(site, f"/back.{delivery}.mp4", content)
    with local_worker(installation.settings, tmp_path_factory.mktemp("first")) as first:
        for partition, gate in enumerate((finished, handed_back)):
            job = VideoJob(url=gate.url, video_id=gate.url)
            installation.produce(job.to_bytes(), partition=partition)
        wait_until(lambda: finished.visits == handed_back.visits == 1)
        slots = slots_of(first.pid)
        os.kill(first.pid, signal.SIGTERM)
        installation.produce(VideoJob(url=str(short), video_id="late").to_bytes(), partition=2)
        finished.opened.set()
        assert first.wait(30) == 0
    assert not any(map(runs, slots))
    assert list(temp_dir.iterdir()) == []
    assert _ends(installation) == {finished.url: "done"}
    assert installation.uncommitted() == {1: 1, 2: 1}
    handed_back.opened.set()
    with local_worker(installation.settings, tmp_path_factory.mktemp("second")):
        wait_until(lambda: not installation.uncommitted())
    assert _ends(installation) == dict.fromkeys((finished.url, handed_back.url, "late"), "done")
    assert (finished.visits, handed_back.visits) == (1, 2)


def _ends(installation: Installation) -> dict[str, str]:
    """Status by video; each has one end alone."""
    entries = installation.read(installation.topics.done)
    ends = [VideoDone.model_validate_json(each.value) for each in entries]
    assert len({each.video_id for each in ends}) == len(ends)
    return {each.video_id: each.status for each in ends}
