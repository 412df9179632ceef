"""Jobs in by ``submit``, results out by ``watch``, through a worker that runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from streamer_client.records import video_id_of
from tests.cli.test_commands import PROGRAM, streamer
from tests.e2e.installation import Installation

pytestmark = pytest.mark.services


def where(service: Installation) -> list[str]:
    kafka = service.settings.kafka
    return ["--bootstrap", kafka.bootstrap, "--topic-prefix", kafka.topic_prefix]


def test_a_file_goes_round(service: Installation, short: Path) -> None:
    submitted = streamer("submit", *where(service), "--preset", "panda-released", str(short))
    assert (submitted.returncode, submitted.stderr) == (0, "")
    (video_id,) = submitted.stdout.split()
    assert video_id == video_id_of(short.as_uri())
    watched = streamer("watch", *where(service), "--json", video_id)
    assert (watched.returncode, watched.stderr) == (0, "")
    records = [json.loads(line) for line in watched.stdout.splitlines()]
    assert {record["video_id"] for record in records} == {video_id}
    kinds = [record["type"] for record in records]
    assert sorted(kinds) == ["clip.boundary"] * 3 + ["clip.caption"] * 3 + ["video.done"]


def test_lines_on_standard_input(service: Installation, short: Path) -> None:
    lines = json.dumps({"url": str(short), "video_id": "line"}) + "\n\nhttp://127.0.0.1:1/refused\n"
    submitted = subprocess.run(
        [PROGRAM, "submit", *where(service), "-"],
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (submitted.returncode, submitted.stderr) == (0, "")
    ids = submitted.stdout.split()
    assert ids == ["line", video_id_of("http://127.0.0.1:1/refused")]
    watched = streamer("watch", *where(service), *ids)
    assert watched.returncode == 1
    assert "short.mp4: done, 3 clips" in watched.stdout
    assert "refused: rejected, 0 clips: address_refused: " in watched.stdout


def test_a_line_that_is_no_job_is_wrong_use(service: Installation) -> None:
    submitted = subprocess.run(
        [PROGRAM, "submit", *where(service), "-"],
        input='http://127.0.0.1/a\n{"url": 5}\n',
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert submitted.returncode == 2
    assert submitted.stderr.startswith("streamer: line 2 of standard input: url: ")
    assert submitted.stdout == ""


def test_topics_are_created_once(service: Installation) -> None:
    first = streamer("topics", "create", *where(service)[:2], "--topic-prefix", "made.")
    again = streamer("topics", "create", *where(service)[:2], "--topic-prefix", "made.")
    assert [line.split(": ") for line in first.stdout.splitlines()] == [
        [f"made.{name}", "created"]
        for name in (
            *("videos", "videos.priority", "videos.retry", "clips.boundaries"),
            *("clips.captions", "videos.done", "videos.dead"),
        )
    ]
    assert again.returncode == 0
    assert again.stdout == first.stdout.replace("created", "was there")
