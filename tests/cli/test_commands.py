"""What every command says of itself, its exit codes, and the settings it prints."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from streamer.cli import app
from streamer.config import load_settings
from tests.media import numbered_video

PROGRAM = Path(sys.executable).with_name("streamer")


def streamer(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program in an environment without settings."""
    inherited = {name: value for name, value in os.environ.items() if name[:9] != "STREAMER_"}
    return subprocess.run(
        [PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**inherited, "COLUMNS": "200", **environment},
    )


def _commands(command: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield name
    for child, each in getattr(command, "commands", {}).items():
        yield from _commands(each, (*name, child))


COMMANDS = list(_commands(typer.main.get_command(app)))


def test_all_commands_are_known() -> None:
    names = {" ".join(name) for name in COMMANDS}
    assert names >= {
        *("run", "demo", "up", "worker", "submit", "watch", "config", "topics create"),
        *("models list", "models build", "models check"),
    }


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_help_shows_an_example(name: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*name, "--help"], terminal_width=200)
    assert result.exit_code == 0
    if name not in [(), ("models",), ("topics",), ("dead",)]:
        assert "Example" in result.output
        assert f"streamer {' '.join(name)}" in result.output.partition("Example")[2]


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["run", "--colour", "red", "a.mp4"], {}, "--colour"),
        (["run"], {}, "SOURCE"),
        (["run", "--detector", "guess", "a.mp4"], {}, "guess"),
        (["config", "--config", "absent.toml"], {}, "there is no settings file 'absent.toml'"),
        (["config"], {"STREAMER_WORKER__SLOTS": "0"}, "worker.slots"),
        (["config"], {"STREAMER_WORKER": "many"}, "worker"),
        (["run", "a.mp4"], {"STREAMER_DECODE__SAMPLE_RATE": "often"}, "decode.sample_rate"),
        (["models", "build", "--profile", "none", "--output", "m"], {}, "none"),
    ],
)
def test_wrong_use_is_exit_code_2(
    arguments: list[str],
    environment: dict[str, str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = streamer(*arguments, **environment)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_broker() -> None:
    done = streamer("watch", "--bootstrap", "127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.startswith("streamer: no Kafka broker answers at 127.0.0.1:9")
    assert done.stderr.count("\n") == 1


def test_without_triton(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "a.mp4")
    done = streamer("run", str(video), "--triton", "127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.startswith("a.mp4: failed: triton_unavailable: ")
    assert done.stderr.count("\n") == 1


def test_the_printed_settings_load_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {
        "STREAMER_KAFKA__TOPIC_PREFIX": 'a "quoted" prefix',
        "STREAMER_ACQUIRE__ALLOWED_ROOTS": '["/videos", "/more videos"]',
        "STREAMER_ACQUIRE__ALLOWED_NETWORKS": '["10.0.0.0/8"]',
        "STREAMER_SPLIT__STITCH_DISTANCE": "0.75",
        "STREAMER_WORKER__SLOTS": "3",
    }
    printed = streamer("config", **chosen)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert tomllib.loads(printed.stdout)["worker"]["slots"] == 3
    file = tmp_path / "printed.toml"
    file.write_text(printed.stdout)
    again = load_settings(file)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert again == load_settings()


def test_secrets_are_not_printed() -> None:
    secret = "s3cret"
    printed = streamer("config", STREAMER_KAFKA__SASL_PASSWORD=secret)
    assert printed.returncode == 0
    assert secret not in printed.stdout
    assert "sasl_password" in printed.stdout


def test_models_list_names_profiles_and_models() -> None:
    listed = streamer("models", "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "offline" in listed.stdout
    assert "captioner_tags" in listed.stdout
