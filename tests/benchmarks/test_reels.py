"""Reels and events that are made once."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from benchmarks.reels import GRADUAL, HARD, build_reel, cut_events, name_of
from streamer.evaluate.manifest import Event, Manifest, load_manifest
from streamer.evaluate.reel import ReelPlan
from streamer.evaluate.single_clip import SingleClip
from tests.media import numbered_video, read_number

SIZE = (160, 96)
PLAN = ReelPlan(Fraction(25), SIZE, "fade", Fraction(3, 5))


def _numbers(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [read_number(frame.to_ndarray(format="rgb24")) for frame in frames]  # type: ignore[arg-type]


@pytest.fixture
def clips(tmp_path: Path) -> list[SingleClip]:
    return [SingleClip(numbered_video(tmp_path / f"{i}.mp4", 40)) for i in range(3)]


def test_every_reel_has_a_file_of_its_own() -> None:
    names = [name_of(plan) for plan in (*HARD, *GRADUAL)]
    assert names[2] == "cut-29.97fps"
    assert names[5] == "fade-0.3s-25fps"
    assert len({*names}) == len(names) == 13


def test_a_reel_is_made_again_only_if_it_is_another(
    clips: list[SingleClip], tmp_path: Path
) -> None:
    manifest = build_reel(clips, tmp_path, PLAN)
    video, truth = load_manifest(manifest)
    assert (len(truth.events), truth.true_joins()[0].length) == (3, 15)
    written = video.stat().st_mtime_ns
    build_reel(clips, tmp_path, PLAN)
    assert video.stat().st_mtime_ns == written
    build_reel(clips[:2], tmp_path, PLAN)
    assert len(load_manifest(manifest)[1].events) == 2


def test_events_are_cut_out_to_the_frame(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "reel.mp4", 60)
    edges = (0, 10, 45, 60)
    events = tuple(
        Event(start_frame=start, end_frame=end, caption=f"number {start}", source=f"{start}.mp4")
        for start, end in pairwise(edges)
    )
    truth = Manifest(video="reel.mp4", fps=Fraction(25), size="160x96", events=events)
    video.with_suffix(".json").write_text(truth.to_json())
    folder = tmp_path / "clips"
    folder.mkdir()
    clips = cut_events(video, folder)
    assert [clip.caption for clip in clips] == ["number 0", "number 10", "number 45"]
    assert [clip.seconds for clip in clips] == [0.4, 1.4, 0.6]
    shown = [_numbers(clip.path) for clip in clips]
    assert shown == [[*range(10)], [*range(10, 45)], [*range(45, 60)]]
