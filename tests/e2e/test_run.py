"""``streamer run``: exit codes, what it prints, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from streamer.embedded.triton import EmbeddedTriton
from tests.cli.test_commands import PROGRAM, streamer
from tests.e2e.processes import slots_of, workspaces
from tests.embedded.conftest import wait_until
from tests.web import Web

pytestmark = pytest.mark.services


@pytest.fixture
def temp_dir(tmp_path: Path) -> Path:
    (tmp_path / "temp").mkdir()
    return tmp_path / "temp"


def test_all_done(triton: EmbeddedTriton, short: Path, site: Web, temp_dir: Path) -> None:
    url = site.serve("/run.mp4", short)
    output = temp_dir.with_name("clips.jsonl")
    done = streamer(
        *("run", str(short), url, "--triton", triton.url, "-o", str(output)),
        TMPDIR=str(temp_dir),
    )
    assert done.returncode == 0
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [
        "short.mp4",
        "run.mp4",
    ]
    kinds = [json.loads(line)["type"] for line in output.read_text().splitlines()]
    assert [kinds.count(kind) for kind in ("clip.boundary", "clip.caption", "video.done")] == [
        *(6, 6, 2)
    ]
    assert kinds[-1] == "video.done"
    assert done.stdout.count("short.mp4") == 1
    assert list(temp_dir.iterdir()) == []


def test_what_ends_the_process_costs_its_own_video(
    triton: EmbeddedTriton, short: Path, site: Web, temp_dir: Path
) -> None:
    endless, output = site.url("/drip-body.mp4"), temp_dir.with_name("clips.jsonl")
    command = [str(PROGRAM), "run", endless, str(short), "--triton", triton.url, "-o", str(output)]
    run = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(temp_dir)})
    try:
        wait_until(lambda: bool(workspaces(temp_dir)))
        (slot,) = slots_of(run.pid)
        os.kill(slot, signal.SIGABRT)
        assert run.wait(60) == 1
    finally:
        run.kill()
        run.wait()
    records = [json.loads(line) for line in output.read_text().splitlines()]
    ends = [record for record in records if record["type"] == "video.done"]
    assert [(end["status"], (end["error"] or {}).get("kind")) for end in ends] == [
        ("failed", "slot_crashed"),
        ("done", None),
    ]
    assert "code -6" in ends[0]["error"]["message"]
    assert list(temp_dir.iterdir()) == []


def test_some_failed(triton: EmbeddedTriton, short: Path, site: Web, temp_dir: Path) -> None:
    page = temp_dir.with_name("page.mp4")
    page.write_text("<html><body>hello</body></html>")
    sources = [str(page), site.url("/status/404"), site.url("/reset.mp4"), str(short)]
    done = streamer("run", *sources, "--triton", triton.url, TMPDIR=str(temp_dir))
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert [line.split(": ")[:3] for line in said[:3]] == [
        ["page.mp4", "rejected", "not_a_video"],
        ["404", "failed", "not_found"],
        ["reset.mp4", "failed", "connection_reset"],
    ]
    assert said[3].startswith("short.mp4: 3 clips")
    assert len(said) == 4
    assert "short.mp4" in done.stdout
    assert list(temp_dir.iterdir()) == []
