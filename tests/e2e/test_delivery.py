"""What readers see when workers die, in both deliveries, and what becomes of jobs that fail."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.config import Settings
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.services import local_worker
from streamer_client.records import VideoDone, VideoJob
from tests.e2e.gate import Gate
from tests.e2e.installation import Entry, Installation, own_topics
from tests.e2e.processes import slots_of
from tests.embedded.conftest import wait_until
from tests.tmpfs import small_disk
from tests.web import Exchange, Web
from tests.wire import Wire

pytestmark = pytest.mark.services

DELIVERIES = ("at-least-once", "exactly-once")
Make = Callable[..., Installation]


@pytest.fixture
def make(local: Settings, broker: EmbeddedBroker, tmp_path: Path) -> Make:
    """Makes an installation with topics of its own and the given settings of its worker."""

    def installation(name: str, **worker: object) -> Installation:
        settings = local.with_section("worker", **worker).with_section(
            "retry", base_seconds=0.5, max_attempts=3
        )
        return own_topics(settings, broker, name, tmp_path)

    return installation


def ends(installation: Installation) -> list[VideoDone]:
    entries = installation.read(installation.topics.done)
    return [VideoDone.model_validate_json(each.value) for each in entries]


def statuses(installation: Installation) -> list[tuple[str, str]]:
    return sorted((each.video_id, each.status) for each in ends(installation))


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_killed_worker_s_jobs_are_finished_by_another(
    delivery: str, make: Make, site: Web, short: Path, tmp_path: Path
) -> None:
    installation = make(f"killed.{delivery}", delivery=delivery, slots=2)
    gate = Gate(site, f"/{delivery}.mp4", short.read_bytes())
    with local_worker(installation.settings, tmp_path / "first") as first:
        jobs = [
            VideoJob(url=gate.url, video_id="held"),
            VideoJob(url=str(short), video_id="behind"),
        ]
        installation.produce(*(job.to_bytes() for job in jobs), partition=0)
        installation.produce(VideoJob(url=str(short), video_id="beside").to_bytes(), partition=1)
        wait_until(lambda: gate.visits == 1)
        seen = {"beside"} if delivery == "exactly-once" else {"beside", "behind"}
        wait_until(lambda: {each.video_id for each in ends(installation)} == seen)
        for pid in (first.pid, *slots_of(first.pid)):
            os.kill(pid, signal.SIGKILL)
    gate.opened.set()
    with local_worker(installation.settings, tmp_path / "second"):
        wait_until(lambda: not installation.uncommitted())
    once = [("behind", "done"), ("beside", "done"), ("held", "done")]
    if delivery == "exactly-once":
        assert statuses(installation) == once
    else:
        assert sorted(set(statuses(installation))) == once
    for topic in (installation.topics.boundaries, installation.topics.captions):
        ids = clip_ids(installation.read(topic))
        assert len(set(ids)) == 9
        assert len(ids) == 9 or delivery == "at-least-once"


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_worker_that_joins_in_mid_job(
    delivery: str, make: Make, site: Web, short: Path, tmp_path: Path
) -> None:
    installation = make(f"joins.{delivery}", delivery=delivery, slots=3)
    gates = [Gate(site, f"/{delivery}.{n}.mp4", short.read_bytes()) for n in range(3)]
    with local_worker(installation.settings, tmp_path / "first"):
        for partition, gate in enumerate(gates):
            job = VideoJob(url=gate.url, video_id=f"held {partition}").to_bytes()
            installation.produce(job, partition=partition)
        wait_until(lambda: all(gate.visits == 1 for gate in gates))
        with local_worker(installation.settings, tmp_path / "second"):
            # What was taken away in the rebalance is fetched once more by the one that joined.
            wait_until(lambda: any(gate.visits == 2 for gate in gates))
            for gate in gates:
                gate.opened.set()
            wait_until(lambda: not installation.uncommitted())
    once = [(f"held {n}", "done") for n in range(3)]
    assert sorted(set(statuses(installation))) == once
    assert len(statuses(installation)) == 3 or delivery == "at-least-once"
    assert any(gate.visits == 1 for gate in gates)


def test_failures_that_may_pass_are_tried_again(
    make: Make, site: Web, short: Path, tmp_path: Path
) -> None:
    installation = make("retries", delivery="exactly-once")
    answers = iter([503, 503])
    content = short.read_bytes()

    def recovers(exchange: Exchange) -> None:
        status = next(answers, 200)
        exchange.reply(content if status == 200 else b"", status=status)

    site.answers["/recovers.mp4"] = recovers
    job = VideoJob(url=site.url("/recovers.mp4"), video_id="recovers").to_bytes()
    never = VideoJob(url=site.url("/status/503"), video_id="never").to_bytes()
    with local_worker(installation.settings, tmp_path):
        installation.produce(job, never)
        installation.wait_for_ends(2)
        wait_until(lambda: not installation.uncommitted())
    assert statuses(installation) == [("never", "failed"), ("recovers", "done")]
    (failed,) = [each for each in ends(installation) if each.error is not None]
    assert failed.error is not None
    assert (failed.error.attempts, failed.error.fault) == (3, "world")
    retries = installation.read(installation.topics.retry)
    tried = sorted((each.key, each.headers["streamer-attempt"]) for each in retries)
    assert tried == [(b"never", b"1"), (b"never", b"2"), (b"recovers", b"1"), (b"recovers", b"2")]
    (letter,) = installation.read(installation.topics.dead)
    (message,) = [
        each for each in installation.read(installation.topics.videos) if each.value == never
    ]
    assert letter.value == never
    assert {name: letter.headers[f"streamer-{name}"] for name in ("attempt", "kind", "stage")} == {
        "attempt": b"3",
        "kind": failed.error.kind.encode(),
        "stage": b"acquire",
    }
    assert (message.partition, message.offset) == (
        int(letter.headers["streamer-origin-partition"]),
        int(letter.headers["streamer-origin-offset"]),
    )
    assert letter.headers["streamer-origin-topic"].decode() == message.topic


def test_a_job_that_kills_its_slot_twice_is_dead(make: Make, site: Web, tmp_path: Path) -> None:
    installation = make("killer")
    gate = Gate(site, "/killer.mp4", b"")
    with local_worker(installation.settings, tmp_path) as worker:
        installation.produce(VideoJob(url=gate.url, video_id="killer").to_bytes())
        for visits in (1, 2):
            wait_until(lambda visits=visits: gate.visits == visits)  # type: ignore[misc]
            os.kill(slots_of(worker.pid)[0], signal.SIGKILL)
        done = installation.done("killer")
    gate.opened.set()
    assert done.error is not None
    assert (done.error.kind, done.error.attempts) == ("slot_crashed", 2)
    assert len(installation.read(installation.topics.dead)) == 1


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_without_triton_jobs_wait(
    delivery: str, make: Make, site: Web, short: Path, tmp_path: Path
) -> None:
    plain = make(f"outage.{delivery}", delivery=delivery)
    gate = Gate(site, f"/outage.{delivery}.mp4", short.read_bytes())
    port = int(plain.settings.triton.url.rpartition(":")[2])
    with Wire(port) as wire:
        url = f"127.0.0.1:{wire.port}"
        installation = Installation(plain.settings.with_section("triton", url=url))
        with local_worker(installation.settings, tmp_path) as worker:
            installation.produce(VideoJob(url=gate.url, video_id="caught").to_bytes())
            wait_until(lambda: gate.visits == 1)
            wire.cut()
            gate.opened.set()
            wait_until(lambda: "waits for Triton" in worker.log.read_text())
            installation.produce(VideoJob(url=str(short), video_id="late").to_bytes())
            wire.mend()
            wait_until(lambda: len(ends(installation)) == 2)
            wait_until(lambda: not installation.uncommitted())
    assert statuses(installation) == [("caught", "done"), ("late", "done")]
    assert installation.read(installation.topics.retry) == []


def test_without_room_for_fetches_jobs_wait(
    make: Make, site: Web, short: Path, tmp_path: Path
) -> None:
    plain = make("full")
    url = site.serve("/full-disk.mp4", short.read_bytes())
    with small_disk(tmp_path, mb=64) as disk:
        acquire = {"temp_dir": disk, "min_free_mb": 32}
        installation = Installation(plain.settings.with_section("acquire", **acquire))
        filler = disk / "filler"
        filler.write_bytes(bytes(48 << 20))
        with local_worker(installation.settings, tmp_path.parent) as worker:
            installation.produce(VideoJob(url=url, video_id="waits").to_bytes())
            wait_until(lambda: "32 MB of acquire.min_free_mb" in worker.log.read_text())
            assert ends(installation) == []
            filler.unlink()
            wait_until(lambda: not installation.uncommitted())
    assert statuses(installation) == [("waits", "done")]
    assert installation.read(installation.topics.retry) == []


def test_most_jobs_failing_alike_stop_the_worker(make: Make, site: Web, tmp_path: Path) -> None:
    installation = make("breaker", breaker_jobs=4)
    with local_worker(installation.settings, tmp_path) as worker:
        for n in range(4):
            job = VideoJob(url=site.url("/status/503"), video_id=f"{n}").to_bytes()
            installation.produce(job, partition=0)
        assert worker.wait(60) == 1
        assert "of the last 4 jobs failed for the same reason" in worker.log.read_text()
    assert ends(installation) == []
    assert installation.uncommitted()[0] > 0


def test_priority_goes_first(make: Make, site: Web, short: Path, tmp_path: Path) -> None:
    installation = make("priority")
    gate = Gate(site, "/busy.mp4", short.read_bytes())
    with local_worker(installation.settings, tmp_path):
        installation.produce(VideoJob(url=gate.url, video_id="busy").to_bytes(), partition=0)
        wait_until(lambda: gate.visits == 1)
        for name, topic in (
            ("slow", installation.topics.videos),
            ("quick", installation.topics.priority),
        ):
            job = VideoJob(url=str(short), video_id=name).to_bytes()
            installation.produce(job, partition=0, topic=topic)
        gate.opened.set()
        wait_until(lambda: len(ends(installation)) == 3)
    ended = installation.read(installation.topics.done)
    order = sorted(ended, key=lambda each: each.timestamp)
    assert [each.key for each in order] == [b"busy", b"quick", b"slow"]


def clip_ids(entries: list[Entry]) -> list[str]:
    return [json.loads(each.value)["clip_id"] for each in entries]
