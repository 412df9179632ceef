"""``streamer audit`` on real topics: it adds up, and what does not is named."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from streamer.audit import read_ledger
from streamer.config import Settings, as_environment
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.services import local_worker
from streamer.kafka_clients import make_producer
from streamer_client.records import JobOptions, VideoDone, VideoJob
from tests.cli.test_commands import PROGRAM
from tests.e2e.installation import Installation, own_topics
from tests.embedded.conftest import wait_until

pytestmark = pytest.mark.services

MANY = 500


@pytest.fixture(scope="module")
def rested(
    local: Settings, broker: EmbeddedBroker, short: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """Topics on which three jobs were done and one was none."""
    installation = own_topics(local, broker, "audit", tmp_path_factory.mktemp("temp"))
    job = VideoJob(url=str(short), video_id="twice").to_bytes()
    bare = VideoJob(url=str(short), video_id="bare", options=JobOptions(captions=False))
    installation.produce(job, job, bare.to_bytes(), b"")
    with local_worker(installation.settings, tmp_path_factory.mktemp("worker")):
        installation.wait_for_ends(4)
        wait_until(lambda: not installation.uncommitted())
    return installation


def audit(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), "audit", *arguments],
        env=as_environment(installation.settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def counts(said: str) -> dict[str, Any]:
    report = json.loads(said)["counts"]
    return {name: count for name, count in report.items() if count}


def test_what_a_worker_left_adds_up(rested: Installation) -> None:
    result = audit(rested, "--json", "--exactly-once")
    assert (result.returncode, json.loads(result.stdout)["faults"]) == (0, []), result.stderr
    assert counts(result.stdout) == {
        "jobs": 4,
        "ends": 4,
        "done": 3,
        "rejected": 1,
        "dead letters": 1,
        "clips announced": 6,
        "clips captioned": 3,
        "repeated clips": 3,
        "repeated captions": 3,
    }


def test_what_does_not_add_up_is_named(rested: Installation) -> None:
    producer, topics = make_producer(rested.settings.kafka), rested.topics
    stranger = VideoDone(video_id="stranger\x1b[2J", url="u", status="done")
    producer.send(topics.done, stranger.to_bytes()).get(30)
    producer.send(topics.captions, b"{}", partition=0).get(30)
    producer.close()
    rested.produce(b"http://127.0.0.2/open.mp4")  # No worker runs any more.
    result = audit(rested)
    assert result.returncode == 1, result.stderr
    assert "orphan stranger�[2J: 1 ends" in result.stdout
    assert f"unreadable {topics.captions}/0@" in result.stdout
    assert "it does not add up" in result.stdout


def test_batches_are_read_to_their_end(
    local: Settings, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    installation = own_topics(local, broker, "batches", tmp_path)
    producer = make_producer(installation.settings.kafka)
    for number in range(MANY):
        producer.send(installation.topics.videos, f"http://127.0.0.2/{number}.mp4".encode())
    producer.flush(60)
    producer.close()
    ledger = read_ledger(installation.settings.kafka, quiet_seconds=3)
    assert len({job.video_id for job in ledger.jobs}) == len(ledger.jobs) == MANY
    assert all(job.is_open for job in ledger.jobs)


def test_missing_topics_are_named(local: Settings, broker: EmbeddedBroker) -> None:
    settings = local.with_section("kafka", bootstrap=broker.bootstrap, topic_prefix="no.")
    result = subprocess.run(
        [str(PROGRAM), "audit"],
        env=as_environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 1
    assert "there is no topic 'no.clips.boundaries'; check kafka.topic_prefix" in result.stderr
