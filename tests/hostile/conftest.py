"""The place of hostile inputs, a witness of all connections, and the table at the end of a run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from streamer.acquire.guard import guarded
from streamer.config import Settings
from streamer.url_policy import AddressPolicy
from tests.hostile.place import Place, Trap
from tests.web import HOST, Web

_reached: list[object] = []
_test_thread = 0


def _witness(event: str, arguments: tuple[Any, ...]) -> None:
    # Python asks hooks in the order in which they came: after the guard's refusal, not at all.
    if event in ("socket.connect", "socket.sendto") and threading.get_ident() == _test_thread:
        _reached.append(arguments[1])


@pytest.fixture(scope="session", autouse=True)
def _watched() -> None:
    with guarded(AddressPolicy(), 5):
        pass  # Its hook is in place now.
    sys.addaudithook(_witness)


@pytest.fixture
def reached() -> list[object]:
    """Every address that this thread was let connect to, since the test began."""
    global _test_thread
    _test_thread = threading.get_ident()
    _reached.clear()
    return _reached


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    trap = Trap()
    root = tmp_path / "root"
    root.mkdir()
    with Web() as web:
        yield Place(web, trap, root)
    assert trap.connections() == 0
    trap.close()


@pytest.fixture
def settings(tmp_path: Path, place: Place) -> Iterator[Settings]:
    """Short limits; the site and the folder are allowed and nothing else that is local."""
    temp_dir = tmp_path / "temp"
    temp_dir.mkdir()
    yield (
        Settings()
        .with_section(
            "acquire",
            allowed_networks=(ip_network(f"{HOST}/32"),),
            allowed_roots=(place.root,),
            temp_dir=temp_dir,
            max_bytes=32 << 20,
            connect_timeout_seconds=20.0,
            read_timeout_seconds=60.0,
            total_timeout_seconds=120.0,
        )
        .with_section("decode", threads=2)
    )
    assert list(temp_dir.iterdir()) == []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table of inputs that ran, and how each ended."""
    reports = terminalreporter.stats.get("passed", [])
    rows = [dict(each.user_properties) for each in reports if each.when == "call"]
    table = [(row["input"], row["ends"]) for row in rows if "ends" in row]
    if table:
        terminalreporter.section(f"{len(table)} hostile inputs")
        width = max(len(name) for name, _ in table)
        for name, ends in table:
            terminalreporter.write_line(f"{name:<{width}}  {ends}")
