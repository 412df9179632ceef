"""Cards as the driver describes them, and how many slots fit one."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.decode.gpu import Card, check_slots_fit, read_cards, this_machine
from streamer.errors import UsageError

LINES = """\
NVIDIA H100 80GB HBM3, 580.65.06, 9.0, 81559, 81001
NVIDIA L4, 580.65.06, 8.9, 23034, 22563
"""


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for ``nvidia-smi``, the only one on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "nvidia-smi"


def test_cards_are_read(smi: Path) -> None:
    smi.write_text(f"#!/bin/sh\necho '{LINES.strip()}'\n")
    smi.chmod(0o755)
    first, second = this_machine.__wrapped__().cards
    assert first == Card("NVIDIA H100 80GB HBM3", "580.65.06", (9, 0), 81559, 81001)
    assert second.name == "NVIDIA L4"


@pytest.mark.parametrize(
    ("visible", "asked"),
    [(None, "none"), ("1", "--id=1"), ("GPU-8f1c,0", "--id=GPU-8f1c"), ("MIG-2d", "none")],
)
def test_of_the_cards_that_cuda_sees(
    visible: str | None, asked: str, smi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "a card asked for by ${3:-none}"
    smi.write_text(f'#!/bin/sh\nname="{name}"\necho "$name; 580; 9.0; 1; 1" | tr ",;" "_,"\n')
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{smi.parent}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    (card,) = read_cards()
    assert card.name == f"a card asked for by {asked}"


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_cards_that_are_hidden_from_cuda_are_none(
    hidden: str, smi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi.write_text(f"#!/bin/sh\necho '{LINES.strip()}'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert read_cards() == ()


@pytest.mark.parametrize(
    "script", ["exit 9", "echo 'No devices were found'", "echo 'a, b, c, d, e'", None]
)
def test_no_card_is_no_error(script: str | None, smi: Path) -> None:
    if script is not None:
        smi.write_text(f"#!/bin/sh\n{script}\n")
        smi.chmod(0o755)
    assert this_machine.__wrapped__().cards == ()


@pytest.mark.parametrize(
    ("compute", "has_av1"),
    [((7, 5), False), ((8, 0), False), ((8, 6), True), ((8, 9), True), ((9, 0), False)],
)
def test_av1_by_generation(compute: tuple[int, int], has_av1: bool) -> None:
    codecs = Card("a card", "580", compute, 1, 1).codecs
    assert {"h264", "hevc", "vp9"} <= set(codecs)
    assert ("av1" in codecs) == has_av1


@pytest.mark.parametrize(
    ("slots", "slot_mb", "free_mb", "fits"),
    [
        (1, 2048, 2048, True),
        (1, 2048, 2047, False),
        (16, 2048, 81_001, True),
        (40, 2048, 81_001, False),
    ],
)
def test_slots_fit_the_free_memory(slots: int, slot_mb: int, free_mb: int, fits: bool) -> None:
    card = Card("NVIDIA H100", "580", (9, 0), 81_559, free_mb)
    if fits:
        check_slots_fit(slots, slot_mb, card)
        return
    with pytest.raises(UsageError, match=rf"worker\.slots is {slots}, but"):
        check_slots_fit(slots, slot_mb, card)
