"""``streamer demo``: what it prints, and that nothing of it survives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_commands import PROGRAM, streamer
from tests.e2e.processes import descendants, wait_for_end, workspaces
from tests.embedded.conftest import wait_until
from tests.web import Web

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("packages_of_triton")]

PARTS = {
    "broker": " broker --storage-engine",
    "Triton": "tritonserver --id",
    "stub": "triton_python_backend_stub",
    "worker": "streamer --verbose worker",
    "slot": "spawn_main",
}


@pytest.fixture(scope="module")
def packages_of_triton(repository: Path) -> Path:
    """Skips where the services are not installed."""
    return repository


def test_the_sample_reel(tmp_path: Path) -> None:
    output, temp_dir = tmp_path / "clips.jsonl", tmp_path / "temp"
    temp_dir.mkdir()
    done = streamer(
        *("demo", "-o", str(output), "--log-dir", str(tmp_path / "logs")), TMPDIR=str(temp_dir)
    )
    assert done.returncode == 0, done.stderr
    *starting, result = done.stderr.splitlines()
    assert all(line.endswith(" …") for line in starting)
    assert result.startswith("sample-reel.mp4: 7 clips of 0:25.4 in ")
    records = [json.loads(line) for line in output.read_text().splitlines()]
    kinds = Counter(record["type"] for record in records)
    assert kinds == {"clip.boundary": 7, "clip.caption": 7, "video.done": 1}
    assert {record["status"] for record in records if record["type"] == "video.done"} == {"done"}
    assert "time to first boundary" in done.stdout
    assert list(temp_dir.glob("streamer*")) == []


@pytest.fixture
def demo(site: Web, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A demo in the middle of a download that does not end."""
    (tmp_path / "temp").mkdir()
    url = site.url("/drip-body.mp4?demo")
    process = subprocess.Popen(
        [PROGRAM, "demo", url, "-o", tmp_path / "clips.jsonl", "--log-dir", tmp_path / "logs"],
        env={**os.environ, "TMPDIR": str(tmp_path / "temp")},
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()


def test_nothing_survives_a_kill(demo: subprocess.Popen[bytes], site: Web, tmp_path: Path) -> None:
    wait_until(lambda: any(each.path.endswith("?demo") for each in site.requests))
    wait_until(lambda: bool(workspaces(tmp_path / "temp")))
    family = descendants(demo.pid)
    for part, command in PARTS.items():
        assert any(command in each for each in family.values()), f"no {part} in {family}"
    demo.send_signal(signal.SIGKILL)
    demo.wait()
    wait_for_end(family, seconds=20)
    assert workspaces(tmp_path / "temp") == []
