"""A process that is worn out by what jobs left in it says so, and no other does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streamer.config import Settings
from streamer.decode.card_use import CardUse
from streamer.worker.memory import resident_mb
from streamer.worker.wear import Wear

BALLAST_MB = 300


def test_memory_that_jobs_leave_behind() -> None:
    room = 2 * BALLAST_MB - 100
    limit = int(resident_mb(os.getpid())) + room
    wear = Wear(Settings().with_section("worker", slot_memory_mb=limit))
    assert wear.after_job("pyav") is None
    ballast = bytearray(os.urandom(1 << 20) * BALLAST_MB)
    reason = wear.after_job("pyav")
    assert reason is not None
    assert "between jobs" in reason
    del ballast
    assert wear.after_job("pyav") is None


def test_the_first_job_may_load_what_it_likes() -> None:
    limit = int(resident_mb(os.getpid())) + BALLAST_MB + 100
    wear = Wear(Settings().with_section("worker", slot_memory_mb=limit))
    ballast = bytearray(os.urandom(1 << 20) * BALLAST_MB)
    assert wear.after_job("pyav") is None
    assert len(ballast) == BALLAST_MB << 20


def test_a_job_that_was_not_decoded_is_no_measure() -> None:
    wear = Wear(
        Settings().with_section("worker", slot_memory_mb=int(resident_mb(os.getpid())) + 100)
    )
    assert wear.after_job(None) is None
    ballast = bytearray(os.urandom(1 << 20) * BALLAST_MB)
    assert wear.after_job(None) is None
    assert len(ballast) == BALLAST_MB << 20


@pytest.mark.parametrize(
    ("videos", "free_mb", "is_spent"),
    [(0, 0, False), (15, 100, False), (16, 511, True), (16, 512, False), (96, 0, True)],
)
def test_a_card_that_runs_low(
    videos: int, free_mb: int, is_spent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\necho NVIDIA L4, 580, 8.9, 23034, {free_mb}\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = CardUse(videos=videos).spent(2048)
    assert (reason is not None) == is_spent
    assert reason is None or f"{free_mb} MiB free" in reason


def test_a_machine_without_a_card_is_not_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert CardUse(videos=96).spent(2048) is None
    assert CardUse(is_lost=True).spent(2048) is not None
