"""``streamer run`` with either decoder gives the same clips, and its records say which it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streamer.embedded.triton import EmbeddedTriton
from tests.cli.test_commands import streamer
from tests.decode.decoders import VP9
from tests.e2e.films import film

pytestmark = pytest.mark.services


def run(video: Path, output: Path, triton: str, *flags: str) -> list[dict[str, Any]]:
    done = streamer("run", str(video), "--triton", triton, "-o", str(output), *flags)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in output.read_text().splitlines()]


@pytest.mark.parametrize("detector", ["auto", "content"])
def test_both_decoders_give_the_same_boundaries(
    detector: str, triton: EmbeddedTriton, tmp_path: Path
) -> None:
    video = film(tmp_path / "film.webm", 4, VP9)
    ours, theirs = (
        run(video, tmp_path / f"{flags[1]}.jsonl", triton.url, *flags, "--detector", detector)
        for flags in (("--decoder", "dali", "--device", "cpu"), ("--decoder", "pyav"))
    )
    kept = [
        [record for record in records if record["type"] == "clip.boundary"]
        for records in (ours, theirs)
    ]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 4
    assert [records[-1]["decoder"] for records in (ours, theirs)] == ["dali-cpu", "pyav"]
    assert ours[-1]["decoder_reason"] is None
    assert theirs[-1]["decoder_reason"] == "decode.decoder is pyav"


def test_a_decoder_that_cannot_be_had_stops_the_command() -> None:
    flags = ("--decoder", "pyav", "--device", "gpu")
    done = streamer("run", "film.webm", "--triton", "127.0.0.1:9", *flags)
    assert done.returncode == 2
    assert "pyav decodes on the CPU" in done.stderr
