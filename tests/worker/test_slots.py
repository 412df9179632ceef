"""A slot that does not come up or has served its time is replaced; a worker without slots ends."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from streamer.config import Settings
from streamer.decode.card_use import CardUse
from streamer.errors import WorkerBroken
from streamer.worker import slot
from streamer.worker.slot import Said
from streamer.worker.slot_process import Order, Ready, Retiring, slot_main
from streamer.worker.slots import SlotPool
from streamer_client.records import VideoDone, VideoJob

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


def test_a_slot_that_starts_ignores_ctrl_c() -> None:
    replaced: list[str] = []
    with one_slot(Settings(), replaced) as pool:
        os.kill(slot_pid(), signal.SIGINT)
        assert comes_up(pool)
        os.kill(slot_pid(), signal.SIGINT)
        assert list(pool.records(0.1)) == []
        assert comes_up(pool)
    assert replaced == []


def falls_over(pipe: Connection, *_: object) -> None:
    """What runs in a slot that dies of its job."""
    pipe.send(Ready())
    pipe.recv()
    os._exit(7)


def test_what_cannot_be_cleaned_up_costs_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings().with_section("acquire", temp_dir=tmp_path / "missing")
    replaced: list[str] = []
    monkeypatch.setattr(slot, "slot_main", falls_over)
    with one_slot(settings, replaced) as pool:
        assert comes_up(pool)
        pool.start(VideoJob(url="file:///v.mp4", video_id="v"), "ticket")
        (said,) = until_replaced(pool, replaced, 1)
        assert isinstance(said.record, VideoDone)
        assert str(said.record.error).count("code 7") == 1
    assert caplog.text.count("cannot clean up acquire.temp_dir") == 2


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


def retires(pipe: Connection, *_: object) -> None:
    """What runs in a slot that takes one job and then wants to be replaced."""
    pipe.send(Ready())
    job = pipe.recv().job
    pipe.send(Retiring("it is tired"))
    pipe.send(VideoDone(video_id=job.video_id, url=job.url, status="done"))
    time.sleep(PATIENCE_SECONDS)  # as if its card did not let go of it


def test_a_slot_that_retires_takes_no_more_jobs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(slot, "slot_main", retires)
    replaced: list[str] = []
    with one_slot(Settings(), replaced) as pool:
        for number in range(2):
            assert comes_up(pool)
            retiring = slot_pid()
            pool.start(VideoJob(url="file:///v.mp4", video_id=f"{number}"), f"{number}")
            (said,) = until_replaced(pool, replaced, number + 1)
            assert isinstance(said.record, VideoDone)
            assert slot_pid() != retiring
    assert replaced == ["retired"] * 2
    assert "gives way to a fresh one: it is tired" in caplog.text
    assert "has ended" not in caplog.text


def tells_its_order(pipe: Connection, *_: object) -> None:
    """What runs in a slot that only says whether its job has crashed before."""
    pipe.send(Ready())
    order = pipe.recv()
    clips = int(order.has_crashed)
    pipe.send(VideoDone(video_id="v", url=order.job.url, status="done", clips=clips))
    time.sleep(PATIENCE_SECONDS)


@pytest.mark.parametrize("has_crashed", [False, True])
def test_a_slot_is_told_that_its_job_crashed_before(
    has_crashed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "slot_main", tells_its_order)
    with one_slot(Settings(), []) as pool:
        assert comes_up(pool)
        pool.start(VideoJob(url="file:///v.mp4"), "ticket", has_crashed=has_crashed)
        (said,) = pool.records(PATIENCE_SECONDS)
        assert isinstance(said.record, VideoDone)
        assert said.record.clips == has_crashed


def until_replaced(pool: SlotPool[str], replaced: list[str], times: int) -> list[Said[str]]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    said: list[Said[str]] = []
    while len(replaced) < times and time.monotonic() < deadline:
        said += pool.records(0.1)
        assert len(replaced) == times or not pool.free
    return said


@contextmanager
def _interruptible() -> Iterator[None]:
    """Undoes that a slot ignores Ctrl-C, which what is started later would inherit."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("has_crashed", [False, True])
def test_a_worn_process_says_so_before_the_last_record(
    has_crashed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.worker.wear.this_process", CardUse(is_lost=True))
    use = CardUse(is_suspect=not has_crashed)
    monkeypatch.setattr("streamer.decode.card_use.this_process", use)
    settings = Settings().with_section("acquire", temp_dir=tmp_path, allowed_roots=(tmp_path,))
    job = VideoJob(url=(tmp_path / "gone.mp4").as_uri(), video_id="gone")
    ours, theirs = multiprocessing.Pipe()
    with ours, _interruptible():
        ours.send(Order(job, has_crashed))
        slot_main(theirs, settings, logging.INFO)
        assert isinstance(ours.recv(), Ready)
        assert ours.recv() == Retiring("the card does nothing more for the process after a fault")
        assert isinstance(ours.recv(), VideoDone)
        assert not ours.poll()
    assert use.kept_off == ("the try before crashed its process" if has_crashed else None)


def comes_up(pool: SlotPool[str]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not pool.free and time.monotonic() < deadline:
        assert list(pool.records(0.1)) == []
    return pool.free == 1
