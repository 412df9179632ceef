"""Limits on what fetches share: the temporary disk, and the patience of one host."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from streamer.acquire import acquire
from streamer.acquire.host_turn import host_turn
from streamer.config import AcquireSettings
from streamer.errors import Unavailable
from tests.acquire.conftest import Settings, fetch
from tests.web import GOOD_BYTES, Exchange, Web

DEADLINE_SECONDS = 120
URL = "http://videos.example:8080/a.mp4"


def _beyond_the_disk(temp_dir: Path) -> int:
    status = os.statvfs(temp_dir)
    return (status.f_blocks * status.f_frsize >> 20) + 1


def test_a_disk_that_is_low_refuses_before_anything_is_asked(
    web: Web, temp_dir: Path, settings: Settings
) -> None:
    low = settings(min_free_mb=_beyond_the_disk(temp_dir))
    with pytest.raises(Unavailable, match=r"acquire\.min_free_mb") as caught:
        fetch(web.url("/good.mp4"), low)
    assert (caught.value.kind, caught.value.stage) == ("disk_low", "acquire")
    assert web.requests == []


def _filled(temp_dir: Path, name: str) -> None:
    """Let what is written to the file of that name meet a full disk."""
    (directory,) = temp_dir.glob("streamer-[0-9]*")
    (directory / name).symlink_to("/dev/full")


def test_a_disk_that_fills_up_on_the_way(web: Web, temp_dir: Path, settings: Settings) -> None:
    def answer(exchange: Exchange) -> None:
        _filled(temp_dir, "media")
        exchange.reply(GOOD_BYTES)

    web.answers["/full.mp4"] = answer
    with pytest.raises(Unavailable) as caught:
        fetch(web.url("/full.mp4"), settings())
    assert (caught.value.kind, caught.value.stage) == ("disk_full", "acquire")


def test_a_disk_that_fills_up_behind_a_page(web: Web, temp_dir: Path, settings: Settings) -> None:
    def answer(exchange: Exchange) -> None:
        if not list(temp_dir.glob("streamer-*/page*")):
            _filled(temp_dir, "page.mp4.part")
        exchange.reply(GOOD_BYTES)

    web.answers["/full.mp4"] = answer
    page = b'<!DOCTYPE html><html><body><video src="/full.mp4"></video></body></html>'
    with pytest.raises(Unavailable) as caught:
        fetch(web.serve("/page", page, "text/html"), settings())
    assert (caught.value.kind, caught.value.stage) == ("disk_full", "acquire")


def _held(pool: ThreadPoolExecutor, settings: AcquireSettings, url: str = URL) -> Future[None]:
    def hold() -> None:
        with host_turn(url, settings):
            pass

    return pool.submit(hold)


def test_a_host_gets_so_many_fetches_at_once(settings: Settings) -> None:
    two = settings(max_per_host=2, total_timeout_seconds=DEADLINE_SECONDS)
    with ThreadPoolExecutor() as pool:
        with host_turn(URL, two), host_turn(URL.upper().replace("HTTP", "http"), two):
            third = _held(pool, two)
            _held(pool, two, "http://other.example/").result(DEADLINE_SECONDS)
            assert not third.done()
        third.result(DEADLINE_SECONDS)


def test_a_host_that_stays_busy_is_worth_another_attempt(settings: Settings) -> None:
    one = settings(max_per_host=1, total_timeout_seconds=0.1)
    with (
        host_turn(URL, one),
        pytest.raises(Unavailable, match=r"acquire\.max_per_host") as caught,
        host_turn(URL, one),
    ):
        pass
    assert (caught.value.kind, caught.value.stage) == ("host_busy", "acquire")


def _hold_and_die(settings: AcquireSettings) -> None:
    host_turn(URL, settings).__enter__()
    os._exit(9)


def test_a_process_that_dies_gives_its_place_back(settings: Settings) -> None:
    one = settings(max_per_host=1, total_timeout_seconds=DEADLINE_SECONDS)
    process = multiprocessing.get_context("spawn").Process(target=_hold_and_die, args=(one,))
    process.start()
    process.join(DEADLINE_SECONDS)
    assert process.exitcode == 9
    with host_turn(URL, one):
        pass


def test_a_place_is_taken_for_the_fetch_alone(web: Web, settings: Settings) -> None:
    one = settings(max_per_host=1, total_timeout_seconds=DEADLINE_SECONDS)
    with acquire(web.url("/good.mp4"), one), host_turn(web.url("/good.mp4"), one):
        pass


def test_many_take_turns(settings: Settings) -> None:
    two = settings(max_per_host=2, total_timeout_seconds=DEADLINE_SECONDS)
    inside, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        with host_turn(URL, two):
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    assert most <= 2
