"""A short run of `make chaos`, where ``STREAMER_CHAOS=1`` asks for it: it takes minutes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        os.environ.get("STREAMER_CHAOS") != "1", reason="set STREAMER_CHAOS=1: it takes minutes"
    ),
]


@pytest.mark.parametrize("delivery", ["at-least-once", "exactly-once"])
def test_every_job_is_accounted_for(delivery: str, tmp_path: Path) -> None:
    sizes = ["--jobs", "20", "--faults", "10", "--minutes", "1", "--logs", str(tmp_path)]
    command = [sys.executable, "-m", "benchmarks.chaos", "--delivery", delivery, *sizes]
    project = Path(__file__).parents[2]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
    assert run.returncode == 0, run.stdout + run.stderr
