"""Captions that people, or a data set, gave to clips: what captions are compared with."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import UsageError
from streamer.evaluate.caption_files import (
    caption_of,
    id_of,
    plain_id,
    read_entries,
    read_rows,
)

_PANDA_COLUMNS = ("videoID", "url", "timestamp", "caption")


@dataclass(frozen=True)
class Reference:
    """The captions of one clip.

    Attributes:
        id: of the clip; of a video's only clip, the video's.
        captions: at least one.
        videos: names of the video of which it is ``span``; empty without a span.
        span: ``[start, end)`` in seconds of the video, ``None`` where the id is all there is.
    """

    id: str
    captions: tuple[str, ...]
    videos: tuple[str, ...] = ()
    span: tuple[float, float] | None = None


def load_references(path: Path) -> tuple[Reference, ...]:
    """Read references.

    The file is MSR-VTT's JSON (``sentences``), a CSV of Panda-70M, the list of ``video`` and
    ``caption`` with which Panda-70M evaluates its captioner, or a JSON map of id to captions.

    Raises:
        UsageError: naming the file, and the line, entry or key that is wrong.
    """
    found: dict[str, Reference] = {}
    for place, reference in _references(path):
        if reference.id in found:
            raise UsageError(f"{path}: {place}: id {reference.id!r} is there twice; keep one")
        found[reference.id] = reference
    if not found:
        raise UsageError(f"{path}: holds no captions; give a map of id to captions, or a data set")
    return tuple(found.values())


def _references(path: Path) -> Iterator[tuple[str, Reference]]:
    if path.suffix.lower() == ".csv":
        yield from _of_panda(path)
        return
    content = read_entries(path)
    if isinstance(content, list):
        yield from _of_objects(path, content)
    elif isinstance(content.get("sentences"), list):
        yield from _of_msrvtt(path, content["sentences"])
    else:
        entries = [(f"key {key!r}", {"id": key, "caption": of}) for key, of in content.items()]
        yield from _of_objects(path, entries)


def _of_msrvtt(path: Path, sentences: list[Any]) -> Iterator[tuple[str, Reference]]:
    captions: dict[str, list[str]] = {}
    for index, sentence in enumerate(sentences):
        place = f"sentences.{index}"
        name = id_of(path, place, sentence)
        captions.setdefault(name, []).append(caption_of(path, place, sentence.get("caption")))
    for name, texts in captions.items():
        yield f"video {name!r}", Reference(name, tuple(texts))


def _of_objects(path: Path, entries: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Reference]]:
    for place, value in entries:
        name = id_of(path, place, value)
        yield place, Reference(name, _captions(path, place, value.get("caption")))


def _captions(path: Path, place: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return (caption_of(path, place, value),)
    if not value:
        raise UsageError(f"{path}: {place}: has no captions; give one or more, or leave it out")
    return tuple(caption_of(path, place, each) for each in value)


def _of_panda(path: Path) -> Iterator[tuple[str, Reference]]:
    for place, row in read_rows(path, _PANDA_COLUMNS):
        video = plain_id(row["videoID"])
        spans = _spans(path, place, _literal(path, place, row, "timestamp"))
        captions = _captions(path, place, _literal(path, place, row, "caption"))
        if len(spans) != len(captions):
            raise UsageError(
                f"{path}: {place}: {len(spans)} timestamps for {len(captions)} captions; "
                "give each clip one of both"
            )
        for index, (span, caption) in enumerate(zip(spans, captions, strict=True)):
            names = (video, plain_id(row["url"]))
            # The name that Panda-70M gives to the clip's own file.
            yield place, Reference(f"{video}.{index}", (caption,), names, span)


def _literal(path: Path, place: str, row: dict[str, str], column: str) -> Any:
    try:
        # The cells are Python lists; evaluating them would run whatever a file holds.
        return literal_eval(row[column].strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise UsageError(
            f"{path}: {place}: {column}: is no Python list; take the file as it was published"
        ) from error


def _spans(path: Path, place: str, value: Any) -> list[tuple[float, float]]:
    # Some rows hold the pair of their only clip instead of a list of pairs.
    pairs = [value] if isinstance(value, list) and value and isinstance(value[0], str) else value
    try:
        return [(_seconds(start), _seconds(end)) for start, end in pairs]
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{path}: {place}: timestamp: is no list of pairs such as "
            "['0:00:04.004', '0:00:13.113']; take the file as it was published"
        ) from error


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
