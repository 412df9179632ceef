"""What the model hub refuses, or is not there to answer, is said in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streamer.embedded.ports import free_ports
from tests.cli.test_commands import streamer

from .test_profile import SMALL


def _build(profile: str, folder: Path) -> tuple[int, str]:
    file = folder / "mine.toml"
    file.write_text(profile)
    (nobody,) = free_ports(1)
    built = streamer(
        *("models", "build", "--profile", str(file), "--output", str(folder / "models")),
        HF_HOME=str(folder / "hub"),
        HF_ENDPOINT=f"http://127.0.0.1:{nobody}",
    )
    assert not (folder / "models").exists()
    return built.returncode, built.stderr


def test_a_hub_that_does_not_answer(tmp_path: Path) -> None:
    status, said = _build(SMALL, tmp_path)
    assert status != 0
    assert "Traceback" not in said
    assert "cannot fetch laion/CLIP-ViT-B-32-laion2B-s34B-b79K at revision 1a25a44" in said
    assert "local-dir:PATH" in said


@pytest.mark.parametrize("tag", ["ViT-B-32:nonsense", "ViT-B-320:openai"])
def test_a_tag_that_open_clip_does_not_know(tag: str, tmp_path: Path) -> None:
    profile = re.sub(r"laion/CLIP-ViT-B-32-laion2B-s34B-b79K", tag, SMALL)
    status, said = _build(profile, tmp_path)
    assert status == 2
    assert "open_clip knows no" in said
    assert "Traceback" not in said


def test_a_tag_of_open_clip_is_looked_up(tmp_path: Path) -> None:
    tag = "ViT-B-32:laion2b_s34b_b79k"
    profile = SMALL.replace("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", tag)
    _, said = _build(profile, tmp_path)
    assert "cannot fetch laion/CLIP-ViT-B-32-laion2B-s34B-b79K" in said
