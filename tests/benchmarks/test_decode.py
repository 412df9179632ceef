"""The way decoding is measured works, with the CPU in the GPU's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.decode import measure_vp9
from benchmarks.decode_slots import decoding_alone, measure_gpu, run_slots, stage
from benchmarks.media import Reel
from streamer.config import DecodeSettings
from streamer.decode.gpu import read_cards
from streamer.errors import UsageError
from tests.decode.decoders import VP9
from tests.media import numbered_video

CPU = DecodeSettings(decoder="dali", device="cpu", threads=1)


def test_two_slots_side_by_side(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.webm", 96, coding=VP9)
    ours, alone = (run_slots(way, path, CPU, 2) for way in (stage, decoding_alone))
    assert min(ours.rate, alone.rate) > 0
    # 48x27 of every frame, and 160x96 of each of the 16 samples among 96.
    assert ours.host_bytes == pytest.approx(48 * 27 * 3 + 160 * 96 * 3 * 16 / 96)
    assert alone.host_bytes == 0


def test_vp9_by_both_decoders(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.webm", 64, coding=VP9)
    figures = measure_vp9(path, CPU, 2)
    assert [len(figure.runs) for figure in figures] == [2, 2]


@pytest.mark.skipif(bool(read_cards()), reason="this machine has a GPU")
def test_what_a_card_does_not_do_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho NVIDIA L4, 580, 8.9, 23034, 22000\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    reel = Reel(numbered_video(tmp_path / "v.mp4", 50), 2.0, "numbers")
    monkeypatch.setattr("benchmarks.decode_slots.CODECS", {"H.264": "libx264"})
    ((figures, notes),) = measure_gpu(reel, tmp_path, (2,))
    assert figures == []
    assert notes[0].startswith("1080p H.264, 2 slots: not measured: this machine has no GPU")
    assert "card: NVIDIA L4, driver 580" in notes


@pytest.mark.skipif(bool(read_cards()), reason="this machine has a GPU")
def test_without_a_gpu_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no GPU"):
        next(measure_gpu(Reel(tmp_path / "v.mp4", 1.0, "none"), tmp_path))
