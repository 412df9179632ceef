"""Captions to be judged: what the service emitted, or what another captioner wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import ValidationError

from streamer.errors import UsageError
from streamer.evaluate.caption_files import caption_of, id_of, plain_id, read_entries
from streamer_client.records import ClipBoundary, ClipCaption, VideoDone

_OTHER_RECORDS = (ClipBoundary.type, VideoDone.type)


@dataclass(frozen=True)
class Prediction:
    """One caption to be judged.

    Attributes:
        id: what it is called in reports.
        names: ids by which references may mean it, the most exact first: of a record its clip,
            its video, and what the URL calls the video.
        caption: the text.
        span: ``[start, end)`` of its video in seconds, ``None`` where it is not known.
        record: the service's record, ``None`` for captions from elsewhere.
    """

    id: str
    names: tuple[str, ...]
    caption: str
    span: tuple[float, float] | None = None
    record: ClipCaption | None = None


@dataclass(frozen=True)
class Predictions:
    """All captions of a file, each clip once.

    Attributes:
        captions: in the file's order.
        repeats: how many records came again unchanged. Delivery is at least once.
    """

    captions: tuple[Prediction, ...]
    repeats: int = 0

    @property
    def records(self) -> tuple[ClipCaption, ...]:
        """The service's records among them."""
        return tuple(each.record for each in self.captions if each.record is not None)


def load_predictions(path: Path) -> Predictions:
    """Read captions.

    The file holds ``ClipCaption`` records as JSON lines (``clips.captions``, or what
    ``streamer run --output`` writes, whose other records are passed over), a JSON map of id to
    caption, or a list of objects with an id and a ``caption``.

    Raises:
        UsageError: naming the file, and the line, entry or key that is wrong.
    """
    found: dict[str, tuple[str, Prediction]] = {}
    repeats = 0
    for place, prediction in _predictions(path):
        first = found.setdefault(prediction.id, (place, prediction))
        if first[1] is prediction:
            continue
        _check_repeat(path, place, prediction, *first)
        repeats += 1
    if not found:
        raise UsageError(f"{path}: holds no captions; give clip.caption records or a map of them")
    return Predictions(tuple(prediction for _, prediction in found.values()), repeats)


def _check_repeat(path: Path, place: str, again: Prediction, at: str, first: Prediction) -> None:
    if again.record is None or first.record is None:
        raise UsageError(f"{path}: {place}: id {again.id!r} is there twice, first: {at}; keep one")
    if again.caption != first.caption:
        raise UsageError(
            f"{path}: {place}: clip_id {again.id!r} has another caption than on {at}; "
            "keep the records of one run"
        )


def _predictions(path: Path) -> Iterator[tuple[str, Prediction]]:
    content = read_entries(path)
    if isinstance(content, dict):
        for key, caption in content.items():
            place = f"key {key!r}"
            yield place, _of_object(path, place, {"id": key, "caption": caption})
        return
    for place, value in content:
        if _is_record(value):
            yield place, _of_record(path, place, value)
        elif not _is_other_record(value):
            yield place, _of_object(path, place, value)


def _is_record(value: Any) -> bool:
    # Kafka's values have no type, which the command line adds; candidates are in no other record.
    return isinstance(value, dict) and (
        value.get("type") == ClipCaption.type or isinstance(value.get("candidates"), list)
    )


def _is_other_record(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    untyped = "caption" not in value and ("shots" in value or "status" in value)
    return value.get("type") in _OTHER_RECORDS or untyped


def _of_object(path: Path, place: str, value: Any) -> Prediction:
    name = id_of(path, place, value)
    return Prediction(name, (name,), caption_of(path, place, value.get("caption")))


def _of_record(path: Path, place: str, value: Any) -> Prediction:
    try:
        record = ClipCaption.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{path}: {place}: {key}: {first['msg']}; give the record as the service wrote it"
        ) from error
    caption = caption_of(path, place, record.caption)
    names = tuple(dict.fromkeys((record.clip_id, *_video_names(record))))
    return Prediction(record.clip_id, names, caption, (record.start, record.end), record)


def _video_names(record: ClipCaption) -> Iterator[str]:
    yield plain_id(record.video_id)
    yield plain_id(record.url)
    address = urlsplit(record.url)
    # YouTube's id of a video, which data sets use for its name.
    yield from parse_qs(address.query).get("v", ())
    last = unquote(address.path.rstrip("/").rpartition("/")[2])
    if last and last != "watch":
        yield plain_id(last)
