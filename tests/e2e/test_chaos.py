"""A short run of `make chaos`: one fault of every kind, in each delivery."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.chaos_faults import FAULTS

pytestmark = pytest.mark.services


@pytest.mark.parametrize("delivery", ["at-least-once", "exactly-once"])
def test_every_job_is_accounted_for(delivery: str, tmp_path: Path) -> None:
    sizes = ["--jobs", "39", "--faults", str(len(FAULTS)), "--minutes", "0.5"]
    command = [sys.executable, "-m", "benchmarks.chaos", "--delivery", delivery, *sizes]
    project = Path(__file__).parents[2]
    run = subprocess.run(
        [*command, "--logs", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
    )
    assert run.returncode == 0, run.stdout + run.stderr
