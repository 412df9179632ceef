"""Real servers for tests, where the packages that they come from are installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer.embedded.triton import EmbeddedTriton
from streamer.errors import UsageError


@contextmanager
def packages() -> Iterator[None]:
    """Missing packages of a service fail where ``CI=true`` promises them, and skip elsewhere."""
    try:
        yield
    except UsageError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(error.message)
        pytest.skip(error.message)


@contextmanager
def triton_serving(repository: Path, logs: Path) -> Iterator[EmbeddedTriton]:
    """A Triton that serves the repository."""
    server = EmbeddedTriton(repository, log_dir=logs)
    with packages():
        server.start()
    try:
        yield server
    finally:
        server.stop()
