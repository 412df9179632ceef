from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamer.cli.evaluate import app
from streamer.embedded.triton import EmbeddedTriton
from streamer.errors import Unavailable, UsageError
from tests.media import Coding, flat_picture, write_video


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.services
def test_split_measures_ours_and_peers_through_triton(
    truth: Path, triton: EmbeddedTriton, tmp_path: Path
) -> None:
    file, plots = tmp_path / "figures.json", tmp_path / "plots"
    shown = _run(
        "split", "--truth", truth, "--against", "transnetv2,panda", "--triton", triton.url,
        "--json", file, "--plot", plots,
    )  # fmt: skip
    assert "transnetv2" in shown
    written = json.loads(file.read_text())
    assert [each["boundaries"] for each in written["videos"]] == [[60, 120]] * 3
    figures = written["overall"]
    assert [*figures] == ["streamer", "transnetv2", "panda"]
    assert [(each["f1"], each["coverage"]) for each in figures.values()] == [(1, 1)] * 3
    assert figures["transnetv2"]["shots_per_clip"] == 1
    assert 0 < figures["streamer"]["running_mean"] < 2
    # The clips end at frames 60, 120 and 180, and nothing comes after them.
    assert 0 < figures["streamer"]["boundary_latency"] <= 120
    assert figures["transnetv2"]["boundary_latency"] is None
    assert (plots / "reel.svg").read_text().startswith("<svg")


def test_reel_writes_a_video_and_its_truth(tmp_path: Path) -> None:
    for index in range(3):
        picture = flat_picture((80 * index, 90, 200), 96, 64)
        write_video(tmp_path / f"{index}.mp4", [picture] * 30, Coding())
    clips = tmp_path / "clips.json"
    clips.write_text(json.dumps([{"file": f"{i}.mp4", "caption": str(i)} for i in range(3)]))
    output = tmp_path / "reel.mp4"
    shown = _run(
        "reel", clips, "--output", output, "--rate", 25, "--size", "96x64", "--count", 2,
        "--transition", "fade", "--seconds", 0.4,
    )  # fmt: skip
    assert "50 frames, 1 joins" in shown
    written = json.loads(output.with_suffix(".json").read_text())
    assert written["joins"] == [{"start_frame": 20, "end_frame": 30, "transition": "fade"}]
    assert [event["end_frame"] for event in written["events"]] == [25, 50]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["split", "--truth", "none.json"], r"none\.json: cannot be read"),
        (["split", "--truth", "none.json", "--against", "mine"], "no peer 'mine'"),
        (["reel", "none.json", "-o", "a.mp4", "--rate", "fast"], "--rate: 'fast'"),
        (["reel", "none.json", "-o", "a.mp4", "--size", "big"], "--size: 'big'"),
        (["reel", "none.json", "-o", "a.mp4", "--size", "33x20"], "even"),
        (["reel", "none.json", "-o", "a.mp4"], r"none\.json: cannot be read"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _run(*arguments)


def test_a_peer_that_is_not_installed_is_said_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scenedetect", None)
    with pytest.raises(UsageError, match=r"pip install 'streamer\[eval\]'"):
        _run("split", "--truth", "none.json", "--against", "pyscenedetect")


def test_a_triton_that_does_not_answer_is_unavailable(truth: Path) -> None:
    with pytest.raises(Unavailable, match="models check"):
        _run("split", "--truth", truth, "--triton", "127.0.0.1:9")
