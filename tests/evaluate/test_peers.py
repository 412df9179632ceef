"""Peers are run as they come, and one that is missing says how to install it."""

from __future__ import annotations

import sys

import pytest

from streamer.errors import UsageError
from streamer.evaluate.boundaries import Frames
from streamer.evaluate.peers import load_scenedetect, split_with_pyscenedetect
from tests.media import shared_media


def test_pyscenedetect_splits_its_own_video_at_its_own_cuts() -> None:
    split = split_with_pyscenedetect(shared_media() / "scenedetect" / "testvideo.mp4", 720)
    cuts = [Frames(0, 30), Frames(30, 180), Frames(180, 394), Frames(394, 720)]
    assert [*split.clips] == cuts
    assert [shot.frames for shot in split.shots] == cuts


def test_a_video_without_cuts_is_one_clip() -> None:
    split = split_with_pyscenedetect(shared_media() / "scenedetect" / "counter.mp4", 30)
    assert [*split.clips] == [Frames(0, 30)]


def test_a_missing_package_is_said_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    with pytest.raises(UsageError, match=r"pip install 'streamer\[eval\]'"):
        load_scenedetect()
