"""Which decoder settings and machine come to, and what happens where DALI refuses."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.config import DecodeSettings, Settings, load_settings
from streamer.decode import choosing, open_video
from streamer.decode.card_use import CardUse
from streamer.decode.choosing import check_decoder, choose
from streamer.decode.dali import check_supported
from streamer.decode.gpu import Card, Machine, this_machine
from streamer.decode.probing import probe
from streamer.errors import JobFailed, JobRejected, StreamerError, UsageError, WorkerBroken
from tests.decode.decoders import VP9
from tests.decode.reading import Decoded
from tests.media import numbered_video

HOPPER = Card("NVIDIA H200", "580.65.06", (9, 0), 143_771, 140_000)
FULL = Machine((HOPPER,), 13000, True, "nvidia-dali-cuda130 2.4.0", 13)
BARE = Machine(dali="nvidia-dali-cuda130 2.4.0", dali_cuda=13)
no_card = pytest.mark.skipif(bool(this_machine().cards), reason="this machine has a GPU")


@pytest.mark.parametrize(
    ("decoder", "device", "machine", "chosen"),
    [
        ("auto", "auto", FULL, ("dali", "gpu")),
        ("auto", "gpu", FULL, ("dali", "gpu")),
        ("auto", "cpu", FULL, ("pyav", "cpu")),
        ("auto", "auto", BARE, ("pyav", "cpu")),
        ("auto", "gpu", BARE, ("pyav", "cpu")),
        ("dali", "auto", FULL, ("dali", "gpu")),
        ("dali", "cpu", FULL, ("dali", "cpu")),
        ("dali", "auto", BARE, ("dali", "cpu")),
        ("pyav", "auto", FULL, ("pyav", "cpu")),
    ],
)
def test_choices(decoder: str, device: str, machine: Machine, chosen: tuple[str, str]) -> None:
    settings = DecodeSettings.model_validate({"decoder": decoder, "device": device})
    choice = choose(settings, machine)
    assert (choice.decoder, choice.device) == chosen


LACKING = {
    "gpu_missing": [
        replace(FULL, driver_cuda=None, cards=()),
        replace(FULL, cards=()),
        replace(FULL, has_nvdec=False),
    ],
    "dali_missing": [replace(FULL, dali=None, dali_cuda=None)],
    "gpu_driver_old": [replace(FULL, driver_cuda=12080)],
}


@pytest.mark.parametrize(
    ("kind", "machine"), [(kind, each) for kind, all_ in LACKING.items() for each in all_]
)
def test_what_is_lacking_has_a_kind_and_a_cure(kind: str, machine: Machine) -> None:
    with pytest.raises(WorkerBroken) as caught:
        choose(DecodeSettings(decoder="dali", device="gpu"), machine)
    assert (caught.value.kind, caught.value.stage) == (kind, "decode")
    assert choose(DecodeSettings(), machine).reason == caught.value.message


def test_a_driver_of_cuda_12_runs_the_package_for_it() -> None:
    machine = replace(FULL, driver_cuda=12080, dali="nvidia-dali-cuda120 2.4.0", dali_cuda=12)
    assert choose(DecodeSettings(), machine).decoder == "dali"


def test_pyav_has_no_gpu() -> None:
    with pytest.raises(UsageError, match="pyav decodes on the CPU"):
        load_settings(None, {"decode": {"decoder": "pyav", "device": "gpu"}})


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that says it has a GPU, and has none."""
    monkeypatch.setattr(choosing, "this_machine", lambda: FULL)
    choosing._say_once.cache_clear()


@pytest.mark.usefixtures("full")
def test_a_worker_with_too_many_slots_does_not_start() -> None:
    settings = Settings().with_section("decode", gpu_memory_mb=40_000)
    check_decoder(settings.with_section("worker", slots=3))
    with pytest.raises(UsageError, match="enough for 3 at 40000 MiB"):
        check_decoder(settings.with_section("worker", slots=4))
    check_decoder(settings.with_section("worker", slots=4).with_section("decode", decoder="pyav"))


@no_card
@pytest.mark.usefixtures("full")
def test_auto_falls_back_to_pyav_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = numbered_video(tmp_path / "v.webm", 40, coding=VP9)
    with caplog.at_level(logging.INFO, "streamer.decode"):
        for _ in range(2):
            with open_video(path, DecodeSettings(threads=2)) as video:
                assert video.decoder == "pyav"
                assert str(video.decoder_reason).startswith("DALI finds no GPU")
                assert sum(map(len, video.batches())) == 40
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "decoding with PyAV: DALI finds no GPU" in caplog.text


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (CardUse(is_suspect=True), "the try before crashed its process"),
        (CardUse(is_lost=True), "the card does nothing more for the process after a fault"),
    ],
)
def test_a_card_is_left_alone_after_a_fault(
    use: CardUse, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "this_process", use)
    path = numbered_video(tmp_path / "v.webm", 9, coding=VP9)
    with open_video(path, DecodeSettings(threads=2)) as video:
        assert (video.decoder, video.decoder_reason) == ("pyav", reason)
    monkeypatch.setattr(choosing, "this_machine", lambda: BARE)
    with open_video(path, DecodeSettings(threads=2)) as video:
        assert str(video.decoder_reason).startswith("this machine has no GPU")


@no_card
@pytest.mark.usefixtures("full")
def test_dali_does_not_fall_back(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.webm", 40, coding=VP9)
    with pytest.raises(StreamerError) as caught:
        Decoded(path, DecodeSettings(decoder="dali", device="gpu"))
    assert caught.value.kind == "gpu_missing"


@pytest.mark.parametrize(("compute", "is_taken"), [((8, 9), True), ((9, 0), False)])
def test_a_card_without_a_codec_is_not_given_it(
    compute: tuple[int, int], is_taken: bool, tmp_path: Path
) -> None:
    found = probe(numbered_video(tmp_path / "v.webm", 5, coding=VP9), DecodeSettings())
    av1 = replace(found, info=replace(found.info, codec="av1"))
    card = replace(HOPPER, compute=compute)
    with nullcontext() if is_taken else pytest.raises(JobFailed, match="av1 on NVIDIA H200"):
        check_supported(av1, card)


@pytest.mark.usefixtures("full")
def test_what_no_decoder_takes_is_refused_without_a_fall_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "v.mp4").write_text("<!DOCTYPE html>")
    with caplog.at_level(logging.INFO, "streamer.decode"), pytest.raises(JobRejected):
        Decoded(tmp_path / "v.mp4", DecodeSettings())
    assert caplog.records == []
