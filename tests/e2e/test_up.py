"""``streamer up``: any Kafka client can talk to it, and it stops when told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from kafka import KafkaConsumer, KafkaProducer

from streamer.embedded.ports import free_ports, is_free
from streamer.embedded.triton import EmbeddedTriton
from streamer_client.records import video_id_of
from tests.cli.test_commands import PROGRAM
from tests.e2e.processes import descendants, wait_for_end, workspaces
from tests.embedded.conftest import wait_until
from tests.web import Web

pytestmark = pytest.mark.services

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/clip.caption.json").read_text())

READ = ("-C", "-o", "beginning", "-e", "-J")


@dataclass(frozen=True)
class Up:
    """The program, and the port that it was given."""

    process: subprocess.Popen[str]
    port: int
    folder: Path

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"


def start(folder: Path, *arguments: str) -> Up:
    """Start ``streamer up`` in ``folder``; returns when it says that it is ready."""
    (port,) = free_ports(1)
    command = [str(PROGRAM), "up", "--broker-port", str(port), "--log-dir", "logs", *arguments]
    environment = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Ctrl-C stops all" in line:
            return Up(process, port, folder)
    pytest.fail(f"it ended with {process.wait()} before it was ready")


@pytest.fixture(scope="module")
def up(triton: EmbeddedTriton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = start(tmp_path_factory.mktemp("up"), "--triton", triton.url)
    yield started
    started.process.kill()
    started.process.wait()


def read(up: Up, topic: str, urls: list[str], count: int) -> list[dict[str, Any]]:
    """The first records of these videos on a topic, until ``count`` clips or videos are there."""
    keys = [video_id_of(url).encode() for url in urls]
    found: list[dict[str, Any]] = []
    consumer = KafkaConsumer(topic, bootstrap_servers=up.bootstrap, auto_offset_reset="earliest")

    def enough() -> bool:
        for messages in consumer.poll(200).values():
            found.extend(json.loads(each.value) for each in messages if each.key in keys)
        return len({each.get("clip_id", each["video_id"]) for each in found}) >= count

    wait_until(enough)
    consumer.close()
    return found


def send(up: Up, *values: str) -> None:
    producer = KafkaProducer(bootstrap_servers=up.bootstrap)
    for value in values:
        producer.send("videos", value.encode()).get(30)
    producer.close()


def test_a_python_client(up: Up, short: Path, site: Web) -> None:
    url = site.serve("/python.mp4", short)
    send(up, json.dumps({"url": url}))
    captions = read(up, "clips.captions", [url], 3)
    assert len(captions) == 3
    for caption in captions:
        Draft202012Validator(SCHEMA).validate(caption)


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
@pytest.mark.parametrize("form", ["json", "bare"])
def test_kcat(up: Up, short: Path, site: Web, form: str) -> None:
    url = site.serve(f"/kcat-{form}.mp4", short)
    kcat(up, "-P", "-t", "videos", said=json.dumps({"url": url}) if form == "json" else url)
    wait_until(lambda: video_id_of(url) in kcat(up, *READ, "-t", "videos.done"))
    lines = kcat(up, *READ, "-t", "clips.captions").splitlines()
    messages = [json.loads(line) for line in lines]
    mine = [each for each in messages if each["key"] == video_id_of(url)]
    assert len(mine) == 3
    for message in mine:
        assert message["headers"][::2][:2] == ["ce_id", "ce_type"]
        Draft202012Validator(SCHEMA).validate(json.loads(message["payload"]))


def kcat(up: Up, *arguments: str, said: str | None = None) -> str:
    return subprocess.run(
        ["kcat", "-q", "-b", up.bootstrap, *arguments],  # noqa: S607
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_files_below_its_folder_may_be_read(up: Up, short: Path) -> None:
    here = up.folder / "here.mp4"
    shutil.copy(short, here)
    send(up, str(here), str(short))
    ends = read(up, "videos.done", [str(here), str(short)], 2)
    kinds = {done["url"]: (done["error"] or {}).get("kind") for done in ends}
    assert kinds == {str(here): None, str(short): "path_refused"}


def test_a_worker_that_is_killed_half_way_is_started_again(up: Up, short: Path, site: Web) -> None:
    urls = [site.serve(f"/killed-{number}.mp4", short) for number in range(10)]
    send(up, *urls)
    read(up, "videos.done", urls, 3)
    family = descendants(up.process.pid)
    workers = [pid for pid, line in family.items() if line.split()[-1:] == ["worker"]]
    os.kill(workers[-1], signal.SIGKILL)  # The one before it is its guard.
    ends = read(up, "videos.done", urls, 10)
    assert {done["url"]: done["status"] for done in ends} == dict.fromkeys(urls, "done")
    wait_until(lambda: audit(up).returncode == 0)  # The last captions are on their way.


def audit(up: Up) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "audit", "--bootstrap", up.bootstrap]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [PROGRAM, "up", "--triton-port", str(port)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == f"streamer: port {port} of 127.0.0.1 is taken: name another\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_stops_when_told(
    number: signal.Signals, tmp_path: Path, triton: EmbeddedTriton, site: Web
) -> None:
    (port,) = free_ports(1)
    own = number == signal.SIGINT
    arguments = ["--triton-port", str(port)] if own else ["--triton", triton.url]
    started = start(tmp_path, *arguments)
    try:
        assert is_free(port) != own
        send(started, site.url("/drip-body.mp4"))  # A job that would take for ever.
        wait_until(lambda: bool(workspaces(tmp_path)))
        family = descendants(started.process.pid)
        assert any("worker" in each for each in family.values())
        assert any("tritonserver" in each for each in family.values()) == own
        started.process.send_signal(number)
        assert started.process.wait(90) == 0
        wait_for_end(family, seconds=5)
        assert workspaces(tmp_path) == []
    finally:
        started.process.kill()  # Its services end with it, should it not have stopped.
