"""The script of `helm test`, run as it stands against a worker, and the commands of the guides."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.config import as_environment
from tests.deploy.command_lines import parse_streamer, streamer_calls
from tests.deploy.helm import ROOT, pods
from tests.e2e.installation import Installation

SAMPLE = "/opt/streamer/samples/reel.mp4"
SECONDS = 300.0


def script() -> list[str]:
    """The command line of the test's container."""
    container = pods("default")["test"]["containers"][0]
    line: list[str] = container["command"] + container["args"]
    return line


@pytest.mark.services
def test_it_ends_well_when_its_video_is_done(service: Installation, short: Path) -> None:
    done = _run([each.replace(SAMPLE, str(short)) for each in script()], service)
    assert done.returncode == 0, done.stderr
    assert "submitted helm-test-" in done.stdout
    assert "short.mp4: done" in done.stdout


@pytest.mark.services
def test_it_fails_when_its_video_is_not_done(service: Installation, short: Path) -> None:
    absent = str(short.with_name("absent.mp4"))
    done = _run([each.replace(SAMPLE, absent) for each in script()], service)
    assert done.returncode == 1, done.stdout


def _run(line: list[str], service: Installation) -> subprocess.CompletedProcess[str]:
    programs = Path(sys.executable).parent
    environment = as_environment(service.settings)
    return subprocess.run(
        line,
        env={**environment, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("guide", ["deploy.md", "operate.md"])
def test_commands_of_the_guides_exist(guide: str) -> None:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    for line in text.splitlines():
        if " -- streamer " in line:
            for call in streamer_calls(line):
                assert parse_streamer(call)
