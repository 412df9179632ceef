"""A web server that may be reached, a trap that may not, and a check that nothing is left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from streamer.acquire import Media, acquire
from streamer.config import AcquireSettings
from tests.web import HOST, Web

Settings = Callable[..., AcquireSettings]


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        yield server


@pytest.fixture
def trap() -> Iterator[Web]:
    """A server on an address that is not allowed; it must never see a connection."""
    with Web("127.0.0.1") as server:
        yield server
        assert server.connections == 0


@pytest.fixture
def temp_dir(tmp_path: Path) -> Iterator[Path]:
    """The directory of temporary files, which must be empty when the test is over."""
    path = tmp_path / "temp"
    path.mkdir()
    yield path
    assert list(path.iterdir()) == []


@pytest.fixture
def settings(temp_dir: Path) -> Settings:
    """Settings that allow the web server's address and nothing else that is local."""

    def make(**changes: object) -> AcquireSettings:
        defaults: dict[str, object] = {
            "allowed_networks": (IPv4Network(f"{HOST}/32"),),
            "temp_dir": temp_dir,
            "max_bytes": 200_000,
            "connect_timeout_seconds": 5.0,
            "read_timeout_seconds": 5.0,
            "total_timeout_seconds": 20.0,
        }
        return AcquireSettings.model_validate({**defaults, **changes})

    return make


def fetch(url: str, settings: AcquireSettings) -> tuple[Media, bytes]:
    """Acquire ``url`` and read it while it lasts."""
    with acquire(url, settings) as media:
        return media, media.path.read_bytes()
