from __future__ import annotations

import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import UsageError
from streamer.evaluate.manifest import Join, Manifest, exact_rate, load_manifest
from streamer.evaluate.single_clip import load_clips
from tests.media import shared_media

Content = dict[str, Any]


def _content() -> Content:
    events = [{"start_frame": 0, "end_frame": 60}, {"start_frame": 60, "end_frame": 150}]
    return {"video": "a.mp4", "fps": 25, "size": "64x36", "fade_seconds": 0.0, "events": events}


def _written(folder: Path, content: object) -> Path:
    (folder / "a.mp4").touch()
    path = folder / "truth.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("stated", "exact"),
    [
        (25, Fraction(25)),
        (12.5, Fraction(25, 2)),
        (29.97, Fraction(30_000, 1001)),
        ("23.976", Fraction(24_000, 1001)),
        (59.94, Fraction(60_000, 1001)),
        ("30000/1001", Fraction(30_000, 1001)),
    ],
)
def test_rounded_rates_become_exact(stated: object, exact: Fraction) -> None:
    assert exact_rate(stated) == exact


@pytest.mark.parametrize("wrong", ["fast", "25/0", 0, -1])
def test_what_is_no_rate_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="frame rate"):
        exact_rate(wrong)


def test_joins_of_events_are_cuts_or_fades_about_their_middle(tmp_path: Path) -> None:
    _, cut = load_manifest(_written(tmp_path, _content()))
    assert cut.true_joins() == (Join(start_frame=60, end_frame=60),)
    _, fade = load_manifest(_written(tmp_path, _content() | {"fade_seconds": 0.6}))
    (join,) = fade.true_joins()
    assert (join.length, join.transition) == (15, "fade")
    assert join.middle == pytest.approx(60, abs=0.5)


def test_a_manifest_survives_writing_and_reading(tmp_path: Path) -> None:
    content = _content() | {
        "fps": "30000/1001",
        "joins": [{"start_frame": 55, "end_frame": 66, "transition": "wipe"}],
        "flashes": [{"start_frame": 20, "end_frame": 22}],
    }
    _, manifest = load_manifest(_written(tmp_path, content))
    assert Manifest.model_validate_json(manifest.to_json()) == manifest
    assert manifest.true_joins()[0].middle == 60.5


def test_the_published_format_is_read() -> None:
    video, manifest = load_manifest(shared_media() / "reel-dev.json")
    assert video.is_file()
    assert (len(manifest.events), len(manifest.true_joins())) == (24, 23)
    assert manifest.true_joins()[0].middle == 102


def _unknown(content: Content) -> None:
    content["colour"] = "red"


def _no_events(content: Content) -> None:
    del content["events"]


def _backwards(content: Content) -> None:
    content["events"][1]["end_frame"] = 60


def _text_for_number(content: Content) -> None:
    content["events"][0]["end_frame"] = "many"


def _too_few_joins(content: Content) -> None:
    content["joins"] = []


def _no_rate(content: Content) -> None:
    content["fps"] = "fast"


def _no_video(content: Content) -> None:
    content["video"] = "b.mp4"


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_unknown, "colour"),
        (_no_events, "events"),
        (_backwards, "events.1"),
        (_text_for_number, "events.0.end_frame"),
        (_too_few_joins, "joins"),
        (_no_rate, "fps"),
        (_no_video, "video"),
    ],
)
def test_a_wrong_manifest_is_named_with_its_key(
    tmp_path: Path, spoil: Callable[[Content], None], named: str
) -> None:
    content = _content()
    spoil(content)
    path = _written(tmp_path, content)
    with pytest.raises(UsageError, match=rf"^{re.escape(str(path))}: {re.escape(named)}\b"):
        load_manifest(path)


def test_a_missing_file_and_broken_json_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json: cannot be read"):
        load_manifest(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(UsageError, match=r"broken\.json: is not JSON"):
        load_manifest(broken)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([{"file": "none.mp4"}], r"0\.file"),
        ([{"file": "a.mp4"}, {"caption": "x"}], r"1\.file"),
        ([{"file": "a.mp4", "titel": "x"}], r"0\.titel"),
        ({"file": "a.mp4"}, "list"),
    ],
)
def test_a_wrong_list_of_clips_is_named_with_its_key(
    tmp_path: Path, content: object, named: str
) -> None:
    path = _written(tmp_path, content)
    with pytest.raises(UsageError, match=rf"{re.escape(str(path))}: .*{named}"):
        load_clips(path)
