"""Files of captions: JSON, JSON lines and CSV, read so that a mistake names its place."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from streamer.errors import UsageError

ID_KEYS = ("clip_id", "video_id", "image_id", "video", "id")
"""Where an object may carry its id; the first that is there counts."""

_VIDEO_SUFFIXES = (".mp4", ".webm", ".mkv", ".mov", ".avi", ".m4v")
# The csv module stops at 128 KiB a cell; a video of Panda-70M with many clips has longer ones.
_LONGEST_CELL = 1 << 26

Entry = tuple[str, Any]
"""A place in a file, for people, and what stands there."""


def plain_id(name: str) -> str:
    """An id without the suffix of a video file: Panda-70M's ``video7010.mp4`` is ``video7010``."""
    for suffix in _VIDEO_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def read_entries(path: Path) -> dict[str, Any] | list[Entry]:
    """A JSON map, or the entries of a JSON list or of JSON lines.

    A lone object that carries an id is one line, not a map of ids.

    Raises:
        UsageError: naming the file, and the line or key that is wrong.
    """
    text = _text(path)
    try:
        content = _parsed(text)
    except _RepeatedKey as error:
        raise UsageError(f"{path}: key {error} is there twice; keep one") from error
    except ValueError as error:
        if not _is_json(text.lstrip().partition("\n")[0]):
            raise UsageError(
                f"{path}: is neither JSON nor JSON lines: {error}; give a file of either"
            ) from error
        return list(_lines(path, text))
    if isinstance(content, dict):
        return [("line 1", content)] if content.keys() & set(ID_KEYS) else content
    if not isinstance(content, list):
        raise UsageError(f"{path}: is neither a JSON list nor a map; give one of them")
    return [(f"entry {index}", value) for index, value in enumerate(content)]


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a CSV file with a header.

    Raises:
        UsageError: if it cannot be read, or a column or cell is missing.
    """
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.DictReader(StringIO(_text(path), newline=""))
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(f"{path}: line 1: there is no column {missing[0]!r}; add the header")
    try:
        for row in reader:
            cells = {name: row[name] for name in columns}
            if None in cells.values():
                raise UsageError(f"{path}: line {reader.line_num}: is short of cells; complete it")
            yield f"line {reader.line_num}", cells
    except csv.Error as error:
        raise UsageError(f"{path}: line {reader.line_num}: is not CSV: {error}") from error


def id_of(path: Path, place: str, value: Any) -> str:
    """The id an object carries, without the suffix of a video file.

    Raises:
        UsageError: if it is no object, or has no id.
    """
    if not isinstance(value, dict):
        raise UsageError(f"{path}: {place}: is no object with an id and a caption; make it one")
    found = next((value[key] for key in ID_KEYS if key in value), None)
    if not isinstance(found, str | int) or isinstance(found, bool) or not str(found).strip():
        raise UsageError(f"{path}: {place}: has no id; name it by one of {', '.join(ID_KEYS)}")
    return plain_id(str(found).strip())


def caption_of(path: Path, place: str, value: Any) -> str:
    """A caption that says something.

    Raises:
        UsageError: if it is missing, no text, or blank.
    """
    if not isinstance(value, str):
        raise UsageError(f"{path}: {place}: has no caption; give one as text")
    if not value.strip():
        raise UsageError(f"{path}: {place}: the caption is empty; give one, or leave the entry out")
    return value


class _RepeatedKey(ValueError):
    pass


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKey(repr(next(name for name in content if names.count(name) > 1)))
    return content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text; convert it") from error


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _lines(path: Path, text: str) -> Iterator[Entry]:
    # Not splitlines: it also breaks at characters that may stand inside a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield f"line {number}", _parsed(line)
        except _RepeatedKey as error:
            raise UsageError(
                f"{path}: line {number}: key {error} is there twice; keep one"
            ) from error
        except ValueError as error:
            raise UsageError(
                f"{path}: line {number}: is not JSON: {error}; give one object a line"
            ) from error
