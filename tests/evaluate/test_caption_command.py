"""`streamer eval caption`, from files to table, JSON and picture."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from streamer.cli.display import json_line
from streamer.cli.evaluate import app
from streamer.errors import UsageError
from streamer.evaluate.score_histogram import histogram
from streamer.evaluate.selection import Selection, selection_of, winner_of
from streamer_client.records import Candidate, ClipCaption
from tests.evaluate.caption_records import clip_caption


def _run(*arguments: object) -> str:
    said = ["caption", *(str(each) for each in arguments)]
    result = CliRunner().invoke(app, said, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def _late(captioner: str) -> Candidate:
    return Candidate(captioner=captioner, caption="", score=0, error="no answer in time")


def _records() -> list[ClipCaption]:
    """Of four clips ``blip`` wins three and ``git`` one; ``git`` fails once."""
    git = Candidate(captioner="git", caption="Something.", score=0.1)
    return [
        clip_caption("video1", (0, 9), "red dog runs", score=0.31, others=(git,)),
        clip_caption("video2", (0, 9), "blue cat walks", score=0.24, others=(_late("git"),)),
        clip_caption("video3", (0, 9), "a hen", score=0.18, weak=True, others=(git,)),
        clip_caption("video4", (0, 9), "a cow", score=0.2).model_copy(
            update={
                "candidates": (
                    Candidate(captioner="git", caption="a cow", score=0.2),
                    Candidate(captioner="blip", caption="a cow", score=0.19),
                )
            }
        ),
    ]


def test_records_are_scored_counted_and_drawn(tmp_path: Path) -> None:
    clips, references = tmp_path / "clips.jsonl", tmp_path / "references.json"
    clips.write_text("".join(json_line(record) + "\n" for record in [*_records(), _records()[0]]))
    references.write_text(
        json.dumps(
            {"video1": ["red dog runs"], "video2": ["blue cat sits"], "video9": ["never seen"]}
        )
    )
    file, picture = tmp_path / "figures.json", tmp_path / "scores.svg"
    shown = _run(
        clips, "--references", references, "--json", file, "--plot", picture, "--weak-below", 0.25
    )
    figures = json.loads(file.read_text())
    # Worked out by hand in test_caption_scores.
    assert figures["scores"]["CIDEr"] == pytest.approx(100 * (7.5 + 2.9166667) / 2)
    assert figures["scores"]["ROUGE-L"] == pytest.approx(100 * (1 + 2 / 3) / 2)
    assert figures["unit"] == "percent"
    assert figures["compared"] == 2
    assert figures["repeats"] == 1
    assert len(figures["only_predicted"]) == 2
    assert figures["only_referenced"] == ["video9"]
    assert figures["clips"][1]["caption"] == "blue cat walks"
    assert figures["clips"][1]["scores"]["ROUGE-L"] == pytest.approx(200 / 3)
    wins = {each["name"]: each["wins"] for each in figures["selection"]["captioners"]}
    assert wins == {"blip": 3, "git": 1}
    for said in ("520.8", "83.3", "weak captions, below 0.25: 3 of 4 (75.0%)", "BERTScore"):
        assert said in shown
    assert "predictions without references: 2" in shown
    assert "references and no prediction: 1 (video9)" in shown
    assert "came again unchanged: 1" in shown
    # The package prints figures of its own unless told not to.
    assert shown.startswith("\u250f")
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")  # noqa: S314 - our own


def test_captioners_are_counted_with_their_failures() -> None:
    selection = selection_of(_records(), None)
    blip, git = selection.captioners
    assert (blip.name, blip.asked, blip.wins, blip.errors) == ("blip", 4, 3, {})
    assert (git.name, git.asked, git.wins) == ("git", 4, 1)
    assert git.errors == {"no answer in time": 1}
    assert git.mean_score == pytest.approx((0.1 + 0.1 + 0.2) / 3)
    assert selection.weak == (False, False, True, False)
    assert selection.rankings == ("clip",)


def test_a_caption_that_no_candidate_has_is_nobodys() -> None:
    record = clip_caption("video1", (0, 9), "red dog runs").model_copy(
        update={"caption": "something else"}
    )
    assert winner_of(record) is None


@pytest.mark.parametrize(
    ("scores", "below"),
    [
        ((0.2, 0.21, 0.25, 0.31), 0.25),
        ((0.5,), None),
        ((-1.0, 1.0, 0.0), 0.43),
        ((0.1, 0.2, 0.3, 0.6, 0.7), 0.7),
        ((0.3, 0.3, 0.3), 0.3),
    ],
)
def test_the_picture_has_every_caption_once(scores: tuple[float, ...], below: float | None) -> None:
    weak = tuple(below is not None and score < below for score in scores)
    root = ElementTree.fromstring(  # noqa: S314 - our own
        histogram(Selection((), scores, weak, below, ("clip",)))
    )
    bars = [each for each in root if each.tag.endswith("rect") and each.get("height") != "14"]
    drawn = {"strong": 0.0, "weak": 0.0}
    for bar in bars[1:]:
        drawn[bar.get("class", "")] += float(bar.get("height", 0))
        left = float(bar.get("x", 0))
        assert 64 <= left <= left + float(bar.get("width", 0)) <= 936
    counts = {"strong": weak.count(False), "weak": weak.count(True)}
    unit = (drawn["strong"] + drawn["weak"]) / len(scores)
    assert unit > 0
    assert {name: height / unit for name, height in drawn.items()} == pytest.approx(
        counts, abs=0.01
    )


@pytest.mark.parametrize("option", [("--plot", "a.svg"), ("--weak-below", "0.2")])
def test_scores_to_draw_are_in_records_only(tmp_path: Path, option: tuple[str, str]) -> None:
    file = tmp_path / "map.json"
    file.write_text('{"a": "x"}')
    with pytest.raises(UsageError, match="has no matching scores"):
        _run(file, "--references", file, *option)


def test_files_without_a_common_clip_are_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    one.write_text('{"a": "x"}')
    other.write_text('{"b": "x"}')
    with pytest.raises(UsageError, match=r"no clip in common.* like 'a', references like 'b'"):
        _run(one, "--references", other)
