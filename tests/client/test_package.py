"""The library as a package: its names, what it pulls in, how it is described."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import streamer_client

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients"

NAMES = {
    "AccessDenied": "",
    "AsyncModels": "caption_file caption_frames close embed_images embed_text score",
    "BadInput": "",
    "BadRecord": "",
    "BadVideo": "",
    "BrokerUnavailable": "",
    "Candidate": "",
    "CaptionResult": "",
    "ClientError": "",
    "ClipBoundary": "",
    "ClipCaption": "",
    "Clips": "close commit complete offsets poll",
    "JobOptions": "",
    "ModelDied": "",
    "ModelError": "",
    "ModelNotServed": "",
    "ModelRefused": "",
    "ModelTimeout": "",
    "ModelUnavailable": "",
    "Models": "caption_file caption_frames close embed_images embed_text score",
    "Outcome": "",
    "Producer": "close submit submit_many",
    "Record": "",
    "ShotSpan": "",
    "Tls": "",
    "Topics": "",
    "VideoDone": "",
    "VideoError": "",
    "VideoJob": "",
    "WaitTimeout": "",
    "clip_id_of": "",
    "cloudevents_headers": "",
    "video_id_of": "",
    "wait": "",
}


def test_the_names_are_these() -> None:
    """Programs depend on them: taking one away is a new major version."""
    assert sorted(NAMES) == streamer_client.__all__
    for name in NAMES:
        assert getattr(streamer_client, name).__doc__, name


@pytest.mark.parametrize("name", [name for name, methods in NAMES.items() if methods])
def test_the_methods_are_these(name: str) -> None:
    methods = vars(getattr(streamer_client, name))
    assert sorted(each for each in methods if each[0] != "_") == NAMES[name].split()


def test_no_other_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Producers'"):
        _ = streamer_client.Producers


def imported_by(program: str) -> set[str]:
    """Top-level packages that a program ends with, in a process with the client's folder alone."""
    program += "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CLIENTS, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_no_service_code_and_nothing_heavy() -> None:
    modules = [path.stem for path in (CLIENTS / "streamer_client").glob("[!_]*.py")]
    loaded = imported_by("; ".join(f"import streamer_client.{name}" for name in modules))
    assert {"streamer_client", "kafka", "tritonclient"} <= loaded
    assert not loaded & {"streamer", "torch", "nvidia", "cv2", "av", "yt_dlp", "rich", "typer"}


def test_the_records_alone_are_light() -> None:
    loaded = imported_by("from streamer_client import ClipCaption, Topics, ModelError")
    assert not loaded & {"numpy", "kafka", "grpc", "tritonclient"}


def project(folder: Path) -> dict[str, Any]:
    described: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return described


def test_both_distributions_agree() -> None:
    client, service = project(CLIENTS), project(ROOT)
    assert client["version"] == service["version"]
    ranges = set(client["dependencies"]) | set(client["optional-dependencies"]["video"])
    # Only Triton's Python backend ties the service to NumPy 1.
    assert ranges - set(service["dependencies"]) == {"numpy>=1.26,<3"}
