"""Every command in the README's shell blocks is run, in order, as a reader would."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer.embedded.ports import free_ports
from streamer.sample_reel import make_sample_reel
from streamer_client.records import video_id_of

ROOT = Path(__file__).parents[2]
STREAMER = f"{sys.executable} -m streamer"
# Run for as long as a reader wants: these are started, and stopped when the test is over.
ENDLESS = ("streamer up", "streamer watch", "streamer worker")
START_SECONDS = 90


def commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def runnable(line: str, kafka_port: int, triton: str) -> str:
    """The command with this test's interpreter and addresses in place of the README's."""
    line = line.replace(".venv/bin/streamer", STREAMER)
    line = re.sub(r"^streamer ", f"{STREAMER} ", line)
    line = line.replace("--broker-port 9092", f"--broker-port {kafka_port}")
    line = re.sub(r"(localhost|kafka):9092", f"127.0.0.1:{kafka_port}", line)
    line = line.replace("triton:8001", triton)
    return f"{line} -e" if line.startswith("kcat") and " -C " in line else line


@contextmanager
def running(line: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(line.split(), cwd=folder, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def first_lines(process: subprocess.Popen[bytes], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().decode() for _ in range(count)]


def test_make_targets_exist() -> None:
    targets = {line.split()[1] for line in commands() if line.startswith("make ")}
    assert targets == {"demo", "test"}
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)  # noqa: S607


@pytest.mark.services
def test_the_readme_commands_run(tmp_path: Path) -> None:
    make_sample_reel(tmp_path / "talk.mp4")
    write_single_clips(tmp_path)
    write_references(tmp_path)
    (port,) = free_ports(1)
    lines = [line for line in commands() if not line.startswith("make ")]
    up = next(line for line in lines if "streamer up" in line)
    with running(runnable(up, port, ""), tmp_path) as service:
        kafka, triton = (line.split()[1] for line in first_lines(service, 2))
        assert kafka == f"127.0.0.1:{port}"
        for line in lines:
            if line is not up:
                run_line(line, runnable(line, port, triton), tmp_path)
    assert (tmp_path / "clips.jsonl").read_text().count('"type": "video.done"') == 1
    assert (tmp_path / "build" / "models" / "clip" / "config.pbtxt").is_file()


def write_single_clips(folder: Path) -> None:
    """What `eval reel` joins: the list of clips the README calls ``clips.json``."""
    clips = [
        {"file": "talk.mp4", "caption": caption, "category": "Test", "seconds": 25.4}
        for caption in ("first", "second")
    ]
    (folder / "clips.json").write_text(json.dumps(clips))


def write_references(folder: Path) -> None:
    video = video_id_of((folder / "talk.mp4").as_uri())
    (folder / "references.json").write_text(json.dumps({video: ["A cup of coffee."]}))


def run_line(line: str, command: str, folder: Path) -> None:
    if "kcat" in line and shutil.which("kcat") is None:
        return
    if any(endless in line for endless in ENDLESS):
        with running(command, folder) as process:
            until_busy(process, line)
        return
    done = subprocess.run(  # noqa: S602 - the README's own lines, which are for a shell
        command, cwd=folder, shell=True, capture_output=True, timeout=START_SECONDS
    )
    assert done.returncode == 0, f"{line}\n{done.stderr.decode()}"


def until_busy(process: subprocess.Popen[bytes], line: str) -> None:
    """`watch` shows a record; `worker` is still there after its start."""
    if "watch" in line:
        assert first_lines(process, 1) != [""]
    else:
        time.sleep(3)
        assert process.poll() is None, line
