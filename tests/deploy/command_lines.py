"""Command lines that containers are given, parsed by the real programs' own definitions."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typer

from streamer.cli import app


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
def tritonserver() -> bytes | None:
    """The program itself, where its package is installed."""
    package = importlib.util.find_spec("pytriton")
    if package is None or not package.submodule_search_locations:
        return None
    return Path(package.submodule_search_locations[0], "tritonserver/bin/tritonserver").read_bytes()


def unknown_triton_options(arguments: Sequence[str]) -> list[str]:
    """Options that the program does not carry by name."""
    program = tritonserver()
    if program is None:
        return []
    names = [argument.removeprefix("--").partition("=")[0] for argument in arguments]
    return [name for name in names if name.encode() not in program]
