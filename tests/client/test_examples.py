"""The examples and the README's program, against `streamer up` as a reader would start it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from tritonclient.grpc import service_pb2, service_pb2_grpc

from streamer.embedded.triton import EmbeddedTriton
from tests.e2e.test_up import Up, start

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "clients" / "examples"
SECONDS = 180


@pytest.fixture(scope="module")
def up(triton: EmbeddedTriton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = start(tmp_path_factory.mktemp("up"), "--triton", triton.url)
    yield started
    started.process.kill()
    started.process.wait()


def run(folder: Path, *command: str | Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.M | re.S)


def test_submit_and_follow_a_made_up_video(up: Up) -> None:
    lines = run(up.folder, EXAMPLES / "submit_and_follow.py", "--bootstrap", up.bootstrap)
    assert lines[0].startswith("submitted ")
    assert any(line.startswith("done, clips: 2") for line in lines)
    assert sum(line.startswith("    ") for line in lines) == 2
    assert not list(up.folder.glob("streamer-example-*"))


def test_submit_and_follow_a_file(up: Up, short: Path) -> None:
    shutil.copy(short, up.folder / "followed.mp4")  # Another path, another id than the README's.
    where = ("--bootstrap", up.bootstrap)
    lines = run(up.folder, EXAMPLES / "submit_and_follow.py", *where, "followed.mp4")
    assert any(line.startswith("done, clips: 3") for line in lines)


def test_caption_made_up_frames(triton: EmbeddedTriton, tmp_path: Path) -> None:
    lines = run(tmp_path, EXAMPLES / "caption_frames.py", "--triton", triton.url)
    assert re.match(r"\d\.\d\d  \w+", lines[0])
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "captioner_tags",
        "captioner_motion",
    ]


def test_caption_a_file(triton: EmbeddedTriton, short: Path, tmp_path: Path) -> None:
    where = ("--triton", triton.url, "--span", "0", "3")
    lines = run(tmp_path, EXAMPLES / "caption_frames.py", *where, short)
    assert "spresso" in lines[0]


def test_the_readme_s_program(up: Up, triton: EmbeddedTriton, short: Path) -> None:
    shutil.copy(short, up.folder / "talk.mp4")
    (program,) = blocks(ROOT / "README.md", "python")
    program = program.replace("localhost:9092", up.bootstrap).replace("localhost:8001", triton.url)
    (up.folder / "program.py").write_text(program)
    lines = run(up.folder, "program.py")
    assert len(lines) == 4
    assert "spresso" in lines[-1]


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
def test_kcat(up: Up) -> None:
    for line in "".join(blocks(EXAMPLES / "kcat.md", "sh")).splitlines():
        shell = line.replace("localhost:9092", up.bootstrap)
        subprocess.run(shell, shell=True, check=True, timeout=SECONDS, capture_output=True)  # noqa: S602


def grpcurl_lines() -> list[list[str]]:
    lines = "".join(blocks(EXAMPLES / "grpcurl.md", "sh")).splitlines()
    return [shlex.split(line) for line in lines]


def test_what_grpcurl_sends(triton: EmbeddedTriton) -> None:
    """grpcurl turns JSON into messages as protobuf does, so they can be sent without it."""
    with grpc.insecure_channel(triton.url) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        answers = [ask(stub, words) for words in grpcurl_lines()]
    assert answers[0].ready
    assert answers[1].config.name == "caption"
    assert "CAPTION" in [output.name for output in answers[2].outputs]


def ask(stub: service_pb2_grpc.GRPCInferenceServiceStub, words: list[str]) -> Any:
    method = words[-1].rpartition("/")[2]
    said = json.loads(words[words.index("-d") + 1]) if "-d" in words else {}
    kind = "ModelInferRequest" if method == "ModelInfer" else f"{method}Request"
    request = json_format.ParseDict(said, getattr(service_pb2, kind)())
    return getattr(stub, method)(request, timeout=SECONDS)


@pytest.mark.skipif(
    shutil.which("grpcurl") is None or "TRITON_PROTOS" not in os.environ,
    reason="grpcurl is not installed, or TRITON_PROTOS does not name Triton's definitions",
)
def test_grpcurl(triton: EmbeddedTriton) -> None:
    for words in grpcurl_lines():
        command = [triton.url if word == "localhost:8001" else word for word in words]
        subprocess.run(command, check=True, timeout=SECONDS, cwd=os.environ["TRITON_PROTOS"])
