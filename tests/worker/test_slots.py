"""A slot that does not come up is replaced; a worker whose slots never do ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer.config import Settings
from streamer.errors import WorkerBroken
from streamer.worker import slot
from streamer.worker.slots import SlotPool

PATIENCE_SECONDS = 60.0


@contextmanager
def one_slot(settings: Settings, replaced: list[str]) -> Iterator[SlotPool[str]]:
    pool = SlotPool[str](settings.with_section("worker", slots=1), replaced.append)
    try:
        yield pool
    finally:
        pool.close()


def slot_pid() -> int:
    (only,) = [each for each in multiprocessing.active_children() if each.name == "streamer-slot"]
    assert only.pid is not None
    return only.pid


def test_a_slot_that_hangs_while_it_starts_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    replaced: list[str] = []
    with one_slot(Settings(), replaced) as pool:
        frozen = slot_pid()
        os.kill(frozen, signal.SIGSTOP)
        monkeypatch.setattr(slot, "START_SECONDS", 0.0)
        assert list(pool.records(0.1)) == []
        monkeypatch.undo()
        assert replaced == ["slot_start"]
        assert slot_pid() != frozen
        assert comes_up(pool)


def test_a_slot_that_dies_while_it_starts_is_replaced() -> None:
    replaced: list[str] = []
    with one_slot(Settings(), replaced) as pool:
        os.kill(slot_pid(), signal.SIGKILL)
        assert comes_up(pool)
        assert replaced == ["slot_crashed"]


def test_slots_that_never_come_up_end_the_worker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    triton = {"tls": True, "ssl_cafile": tmp_path / "missing.pem"}
    settings = Settings().with_section("triton", **triton)
    replaced: list[str] = []
    with (
        one_slot(settings, replaced) as pool,
        pytest.raises(WorkerBroken, match=r"3 slots in a row ended .* code 1;") as broken,
    ):
        comes_up(pool)
    assert broken.value.kind == "slot_start"
    assert replaced == ["slot_crashed"] * 2
    assert caplog.text.count("has ended: slot_crashed") == 3


def comes_up(pool: SlotPool[str]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not pool.free and time.monotonic() < deadline:
        assert list(pool.records(0.1)) == []
    return pool.free == 1
