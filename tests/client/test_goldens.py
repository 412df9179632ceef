"""Records of every version so far can be read, and what they say is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streamer_client import ClipBoundary, ClipCaption, VideoDone, VideoJob
from tests.client.write_goldens import GOLDENS, RECORDS, VERSION

CLASSES: dict[str, type[VideoJob | ClipBoundary | VideoDone]] = {
    "video.job": VideoJob,
    "clip.boundary": ClipBoundary,
    "clip.caption": ClipCaption,
    "video.done": VideoDone,
}
FILES = sorted(GOLDENS.glob("*/*.json"))


def class_of(file: Path) -> type[VideoJob | ClipBoundary | VideoDone]:
    return CLASSES[".".join(file.name.split(".")[:2])]


def holds(read: Any, written: Any) -> bool:
    """Whether everything that was written is there, in the same place."""
    if isinstance(written, dict):
        return all(key in read and holds(read[key], value) for key, value in written.items())
    if isinstance(written, list):
        return len(read) == len(written) and all(map(holds, read, written))
    return bool(read == written)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_what_a_version_wrote_is_read(file: Path) -> None:
    record = class_of(file).model_validate_json(file.read_bytes())
    assert holds(record.model_dump(mode="json"), json.loads(file.read_bytes()))


@pytest.mark.parametrize("name", RECORDS)
def test_this_version_writes_its_goldens(name: str) -> None:
    golden = (GOLDENS / VERSION / f"{name}.json").read_bytes()
    assert json.loads(RECORDS[name].to_bytes()) == json.loads(golden), (
        "the records changed: write goldens of a new version"
    )


@pytest.mark.parametrize(
    "file", [file for file in FILES if "job" not in file.name], ids=lambda file: file.stem
)
def test_fields_of_a_later_version_are_ignored(file: Path) -> None:
    def later(value: Any) -> Any:
        if isinstance(value, list):
            return [later(each) for each in value]
        return value | {"added_later": [1]} if isinstance(value, dict) else value

    written = json.loads(file.read_bytes())
    # Not inside `models`, `dropped` and `timings`, which are open maps.
    nested = {key: later(value) for key, value in written.items() if key in NESTED}
    read = class_of(file).model_validate(later(written | nested))
    assert read == class_of(file).model_validate(written)


NESTED = ("shots", "candidates", "error")
