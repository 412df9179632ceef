"""Command lines that containers are given, parsed by the real programs' own definitions."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import typer

from streamer.cli import app
from streamer.embedded.triton_files import default_cache_dir, prepare
from streamer.errors import UsageError
from tests.servers import packages


def parse_streamer(arguments: Sequence[str]) -> str:
    """Parse the arguments of ``streamer`` without running anything; returns the command's name.

    Raises click's errors for commands and options that do not exist.
    """
    command: Any = typer.main.get_command(app)
    name, rest = "streamer", list(arguments)
    while True:
        context = command.make_context(name, rest)
        if not hasattr(command, "resolve_command"):
            return name
        name, command, rest = command.resolve_command(
            context, [*getattr(context, "_protected_args", ()), *context.args]
        )


def streamer_calls(script: str) -> Iterator[list[str]]:
    """The arguments of each call of ``streamer`` in a shell script."""
    for call in re.findall(r"(?:^|[\s(|])streamer ([a-z-][^\n)|;#]*)", script):
        yield shlex.split(call)


@cache
def tritonserver_help() -> str:
    """What the real program says of its options; skips where its package is not installed."""
    with packages():
        files = prepare(default_cache_dir())
        if not files.server.is_file():
            raise UsageError("tritonserver is not installed")
    done = subprocess.run(
        [files.server, "--help"],
        env=files.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def unknown_triton_options(arguments: Sequence[str]) -> list[str]:
    """Options that the program does not have."""
    options = [argument.partition("=")[0] for argument in arguments]
    return [
        option
        for option in options
        if not re.search(rf"{re.escape(option)}\b", tritonserver_help())
    ]
