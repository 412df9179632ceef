"""The truth about a video: its events and the joins between them, as a JSON file beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from streamer.errors import UsageError

_NTSC = Fraction(1000, 1001)

FrameNumber = Annotated[int, Field(ge=0)]


def exact_rate(rate: object) -> Fraction:
    """Frames per second as a fraction; a rounded ``29.97`` becomes ``30000/1001``.

    Raises:
        ValueError: for what is no positive number or fraction.
    """
    try:
        exact = Fraction(str(rate))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"{rate!r} is no frame rate such as 25, 29.97 or 30000/1001") from error
    if exact <= 0:
        raise ValueError(f"a frame rate is more than 0, not {rate}")
    ntsc = round(exact / _NTSC) * _NTSC
    is_rounded = exact.denominator not in (1, 1001) and abs(exact - ntsc) < Fraction(1, 100)
    return ntsc if is_rounded and ntsc > 0 else exact


Rate = Annotated[Fraction, BeforeValidator(exact_rate)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(_Part):
    """Frames ``[start_frame, end_frame)`` that show one event."""

    start_frame: FrameNumber
    end_frame: FrameNumber
    caption: str = ""
    category: str | None = None
    source: str | None = None


class Join(_Part):
    """Where one event becomes the next: mixed frames ``[start_frame, end_frame)``; empty: a cut."""

    start_frame: FrameNumber
    end_frame: FrameNumber
    transition: str = "cut"

    @property
    def middle(self) -> float:
        """The boundary it stands for, in frames: the first frame after a cut, a fade's middle."""
        return (self.start_frame + self.end_frame) / 2

    @property
    def length(self) -> int:
        """How many frames mix both events."""
        return self.end_frame - self.start_frame


class Stretch(_Part):
    """Frames ``[start_frame, end_frame)``."""

    start_frame: FrameNumber
    end_frame: FrameNumber


class Manifest(_Part):
    """What is known of a video.

    Attributes:
        video: file name, relative to the manifest.
        fps: frames per second, a number or a fraction as text.
        size: ``WIDTHxHEIGHT``.
        fade_seconds: length of the joins where ``joins`` does not say.
        events: in order.
        joins: one per pair of neighbouring events; without them joins are taken from the events.
        flashes: frames of camera flashes, which are no boundaries.
    """

    video: str
    fps: Rate
    size: str
    fade_seconds: Annotated[float, Field(ge=0)] = 0.0
    events: Annotated[tuple[Event, ...], Field(min_length=1)]
    joins: tuple[Join, ...] | None = None
    flashes: tuple[Stretch, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("events", "joins", "flashes"):
            for index, part in enumerate(getattr(self, name) or ()):
                if part.end_frame < part.start_frame + (name != "joins"):
                    raise ValueError(f"{name}.{index}: end_frame is not after start_frame")
        for index, (event, after) in enumerate(pairwise(self.events)):
            if after.start_frame <= event.start_frame:
                raise ValueError(f"events.{index + 1}: start_frame is not after the event before")
        if self.joins is not None and len(self.joins) != len(self.events) - 1:
            wanted = len(self.events) - 1
            raise ValueError(f"joins: {len(self.joins)} for {wanted} pairs of neighbouring events")
        return self

    @property
    def frames(self) -> int:
        """Number of frames of the video, as far as events say."""
        return max(event.end_frame for event in self.events)

    def true_joins(self) -> tuple[Join, ...]:
        """The joins, as stated or between the events."""
        return self.joins if self.joins is not None else tuple(self._joins_of_events())

    def _joins_of_events(self) -> Iterator[Join]:
        fade = round(self.fade_seconds * self.fps)
        for event, after in pairwise(self.events):
            start, end = sorted((event.end_frame, after.start_frame))
            if start == end:
                start, end = max(0, start - fade // 2), start + fade - fade // 2
            yield Join(
                start_frame=start, end_frame=end, transition="fade" if end > start else "cut"
            )

    def to_json(self) -> str:
        """As written beside the video."""
        content = self.model_dump(mode="json", exclude_none=True)
        content["fps"] = str(self.fps) if self.fps.denominator > 1 else int(self.fps)
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def load_manifest(path: Path) -> tuple[Path, Manifest]:
    """Read a manifest; the video's path and what is known of it.

    Raises:
        UsageError: naming the file, and the key that is wrong.
    """
    manifest = _validated(path)
    video = path.parent / manifest.video
    if not video.is_file():
        raise UsageError(f"{path}: video: there is no file {str(video)!r}")
    return video, manifest


def _validated(path: Path) -> Manifest:
    try:
        return Manifest.model_validate(_content(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{path}: {key + ': ' if key else ''}{reason}") from error


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: is not JSON: {error}") from error
