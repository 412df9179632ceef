"""That the trap is a trap, that no name changes its mind in time, that bombs take no memory."""

from __future__ import annotations

import itertools
import multiprocessing
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamer.config import Settings
from tests.hostile import answers, pages
from tests.hostile.outcome import outcome
from tests.hostile.place import Case, Place
from tests.web import HOST

REFUSED = "rejected acquire address_refused"
NAME = "rebinding.example"
MOST_BYTES = 160 << 20  # of 1 GiB
DEADLINE_SECONDS = 180


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
def test_hostile_trap_catches_what_is_allowed(host: str, place: Place, settings: Settings) -> None:
    networks = ("127.0.0.0/8", "::1/128")
    acquire = settings.acquire.model_validate(
        {**dict(settings.acquire), "allowed_networks": networks, "read_timeout_seconds": 0.2}
    )
    case = Case(lambda place: place.trapped(host), "")
    allowed = settings.model_copy(update={"acquire": acquire})
    assert outcome(case.message(place), allowed)[0] == "retried acquire timeout"
    assert place.trap.connections() > 0


def _redirect(place: Place) -> str:
    place.web.redirect("/away", place.trapped(NAME))
    return _by_name(place, "/away")


def _segment(place: Place) -> str:
    playlist = pages.hls("#EXTINF:4,", place.trapped(NAME))
    place.web.serve("/list.m3u8", playlist.encode(), pages.HLS)
    return _by_name(place, "/list.m3u8")


def _embed(place: Place) -> str:
    page = pages.html(f'<video src="{place.trapped(NAME)}"></video>')
    place.web.serve("/page", page.encode(), pages.HTML)
    return _by_name(place, "/page")


def _by_name(place: Place, path: str) -> str:
    return f"http://{NAME}:{place.web.port}{path}"


@pytest.mark.parametrize("lead", [_redirect, _segment, _embed])
def test_hostile_name_that_changes_its_mind(
    lead: Callable[[Place], str],
    place: Place,
    settings: Settings,
    reached: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its first answer is an address that may be reached, its later ones are not."""
    resolve_for_real = socket.getaddrinfo
    addresses = itertools.chain([HOST], itertools.repeat("127.0.0.1"))

    def rebinding(host: str, *rest: Any, **options: Any) -> Any:
        return resolve_for_real(next(addresses) if host == NAME else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    ends, why = outcome(Case(lead, "").message(place), settings)
    assert ends == REFUSED, why
    assert {address[0] for address in reached} == {HOST}


def test_hostile_name_with_a_second_address(
    place: Place, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at its first; clients go on to its second."""
    resolve_for_real = socket.getaddrinfo

    def both(host: str, *rest: Any, **options: Any) -> Any:
        names = [HOST, "127.0.0.1"] if host == NAME else [host]
        return [each for name in names for each in resolve_for_real(name, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    case = Case(lambda place: place.trapped(NAME), "")
    ends, why = outcome(case.message(place), settings)
    assert ends == REFUSED, why


@pytest.mark.parametrize("name", answers.BOMBS)
def test_hostile_bomb_takes_little_memory(name: str, place: Place, settings: Settings) -> None:
    message = answers.CASES[name].message(place)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        growth = pool.apply_async(_growth, (message, settings)).get(DEADLINE_SECONDS)
    assert growth < MOST_BYTES


def _growth(message: bytes, settings: Settings) -> int:
    """Bytes by which the peak of this process grew over a bomb."""
    outcome(b"http://127.0.0.1/", settings)  # What is loaded once is loaded now.
    before = _peak_bytes()
    assert outcome(message, settings)[0] == answers.TOO_LARGE
    return _peak_bytes() - before


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    return int(peak[1]) << 10
