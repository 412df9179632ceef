"""``streamer dead`` against a real broker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.config import Settings
from streamer.embedded.broker import EmbeddedBroker
from tests.e2e.installation import Installation, own_topics

pytestmark = pytest.mark.services

JOBS = {
    "old": (b"  http://a/old.mp4\n", "gone", "acquire", "videos"),
    "slow": (b'{"url": "http://a/slow.mp4"}', "timeout", "acquire", "videos.priority"),
    "odd": (bytes(range(256)), "bad_record", "source", "videos"),
}


@pytest.fixture(scope="module")
def dead(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = own_topics(Settings(), broker, "dead-cli", tmp_path_factory.mktemp("temp"))
    for video_id, (value, kind, stage, origin) in JOBS.items():
        topic = f"{installation.settings.kafka.topic_prefix}{origin}"
        fields = {"kind": kind, "stage": stage, "origin-topic": topic, "attempt": "2"}
        headers = [(f"streamer-{name}", text.encode()) for name, text in fields.items()]
        installation.produce(
            value, key=video_id.encode(), headers=headers, topic=installation.topics.dead
        )
    return installation


def run(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    where = (
        "--bootstrap",
        installation.settings.kafka.bootstrap,
        "--topic-prefix",
        installation.settings.kafka.topic_prefix,
    )
    command = [sys.executable, "-m", "streamer", "dead", *arguments, *where]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path("/"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", "old slow odd"),
        ("--kind timeout", "slow"),
        ("--stage acquire", "old slow"),
        ("--video-id odd", "odd"),
        ("--since 2999-01-01", ""),
        ("--limit 1", "odd"),
    ],
)
def test_filters(dead: Installation, arguments: str, expected: str) -> None:
    listed = run(dead, "list", "--json", *arguments.split())
    found = {json.loads(line)["video_id"] for line in listed.stdout.splitlines()}
    assert found == set(expected.split())


def test_the_table_and_one_letter(dead: Installation) -> None:
    assert "timeout" in run(dead, "list").stdout
    shown = run(dead, "show", "slow").stdout
    assert "kind: timeout" in shown
    assert 'job: {"url": "http://a/slow.mp4"}' in shown
    missing = run(dead, "show", "nobody")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no job of video nobody is dead" in missing.stderr


def test_replay_puts_the_bytes_back_where_they_came_from(dead: Installation) -> None:
    assert run(dead, "replay", "--dry-run").stdout.count("would go to") == 3
    assert dead.read(dead.topics.videos) == []
    nothing = run(dead, "replay", "--kind", "nosuch")
    assert nothing.stderr == f"no letter on {dead.topics.dead} matches\n"
    replayed = run(dead, "replay")
    assert replayed.stdout.count(" went to ") == 3
    assert {each.value for each in dead.read(dead.topics.videos)} == {
        JOBS["old"][0],
        JOBS["odd"][0],
    }
    (priority,) = dead.read(dead.topics.priority)
    assert (priority.key, priority.value, priority.headers) == (b"slow", JOBS["slow"][0], {})
