"""Distances are fitted to the embedder by videos whose joins are known."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamer.cli.models import app
from streamer.embedded.triton import EmbeddedTriton
from streamer.errors import UsageError
from streamer.models.profile import load_profile, with_distances


@pytest.mark.services
def test_calibrate_writes_a_profile_that_parts_the_photographs(
    truth: Path, triton: EmbeddedTriton, tmp_path: Path
) -> None:
    output = tmp_path / "fit.toml"
    arguments = ["calibrate", "--truth", str(truth), "--triton", triton.url, "-o", str(output)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "event_distance" in result.output
    before, after = load_profile("offline").clip, load_profile(output).clip
    # Pans over one photograph are much nearer to each other than two photographs are.
    assert 0.3 < after.event_distance < 1.3
    assert 0.3 < after.stitch_distance < 1.3
    assert after.event_distance != before.event_distance
    assert (after.still_distance, after.repeat_distance) == (0.08, 0.3)
    assert "# Reels of real clips" in output.read_text()


def test_other_distances_leave_the_rest_of_the_profile_as_it_is() -> None:
    text = with_distances("offline", {"event_distance": 0.75})
    assert tomllib.loads(text)["clip"]["event_distance"] == 0.75
    changed = [
        line for line in text.splitlines() if line not in with_distances("offline", {}).splitlines()
    ]
    assert changed == ["event_distance = 0.75"]


def test_no_such_profile(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no profile"):
        load_profile(tmp_path / "none.toml")
