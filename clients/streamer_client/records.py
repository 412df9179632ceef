"""The wire records: what goes into and comes out of the Kafka topics.

This module is the single definition of the contract. The service imports these classes, and
``docs/schemas`` is generated from them.
"""

from __future__ import annotations

import itertools
import uuid
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import from_json

# A UUIDv5 name space of this project, so that equal inputs get equal ids on every machine.
ID_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "streamer.captioned-clips")

LONGEST_SECONDS = 1e9
MAX_JOB_BYTES = 4 << 20

Seconds = Annotated[float, Field(description="Seconds of stream presentation time.")]


class BadRecord(ValueError):
    """A message on ``videos`` that is not a job. The text names the field and the cure."""


def video_id_of(url: str) -> str:
    """The default id of a video: a UUIDv5 of its URL."""
    return str(uuid.uuid5(ID_NAMESPACE, url))


def clip_id_of(video_id: str, start: float, end: float) -> str:
    """The id of a clip: a UUIDv5 of its video and span, equal in every run over that video."""
    return str(uuid.uuid5(ID_NAMESPACE, f"{video_id}/{start:.6f}-{end:.6f}"))


class Record(BaseModel):
    """Base of everything the service emits. Readers ignore fields they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: ClassVar[str]

    def to_bytes(self) -> bytes:
        """The record as UTF-8 JSON, as it stands on a topic."""
        return self.model_dump_json().encode()


class JobOptions(BaseModel):
    """Settings a job may override for itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    detector: Literal["auto", "content", "transnetv2"] | None = None
    preset: Literal["default", "panda-released", "panda-collected"] | None = None
    captions: bool = True


class VideoJob(BaseModel):
    """One message on ``videos``: process this video. ``{"url": …}`` is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: ClassVar[str] = "video.job"

    url: Annotated[str, Field(min_length=1, max_length=8192)]
    video_id: Annotated[str, Field(max_length=256)] = ""
    metadata: dict[str, JsonValue] = {}
    spans: Annotated[
        tuple[tuple[Seconds, Seconds], ...] | None,
        Field(min_length=1, description="Caption these spans as they are; do not split."),
    ] = None
    options: JobOptions = JobOptions()

    @model_validator(mode="before")
    @classmethod
    def _default_video_id(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("video_id") and isinstance(data.get("url"), str):
            return {**data, "video_id": video_id_of(data["url"])}
        return data

    @field_validator("spans")
    @classmethod
    def _spans_in_order(
        cls, spans: tuple[tuple[float, float], ...] | None
    ) -> tuple[tuple[float, float], ...] | None:
        edges = [edge for span in spans or () for edge in span]
        if not all(abs(edge) <= LONGEST_SECONDS for edge in edges):
            raise ValueError(f"spans must lie within {LONGEST_SECONDS:g} seconds")
        if any(after < before for before, after in itertools.pairwise(edges)) or any(
            start == end for start, end in spans or ()
        ):
            raise ValueError("spans must be [start, end) pairs in order that do not overlap")
        return spans

    @classmethod
    def from_bytes(cls, value: bytes) -> Self:
        """Parse a message: a JSON object of this class's fields, or a bare URL.

        Raises:
            BadRecord: naming the first field that is wrong.
        """
        if len(value) > MAX_JOB_BYTES:
            raise BadRecord(f"{len(value)} bytes, over the limit of {MAX_JOB_BYTES} for a job")
        try:
            text = value.decode().strip()
        except UnicodeDecodeError as error:
            raise BadRecord(f"not UTF-8 text: {error.reason} at byte {error.start}") from error
        try:
            return cls.model_validate(_job_fields(text))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "job"
            raise BadRecord(f"{field}: {first['msg']}") from error

    def to_bytes(self) -> bytes:
        """The job as UTF-8 JSON, defaults left out."""
        return self.model_dump_json(exclude_defaults=True).encode()


def _job_fields(text: str) -> Any:
    if not text.startswith(("{", "[", '"')):
        if not text or any(character.isspace() for character in text):
            raise BadRecord('neither JSON nor a URL; send {"url": "https://…"} or a bare URL')
        return {"url": text}
    try:
        # Not json.loads: it takes lone surrogates and NaN, and chokes on integers of 5000 digits.
        data = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise BadRecord(f"not JSON: {error}") from error
    if not isinstance(data, dict | str):
        raise BadRecord(f"a job is a JSON object or a URL, not a {type(data).__name__}")
    return {"url": data} if isinstance(data, str) else data


class ShotSpan(BaseModel):
    """A shot inside a clip: ``[start, end)``."""

    model_config = ConfigDict(frozen=True)
    start: Seconds
    end: Seconds
    start_frame: int
    end_frame: int


class ClipBoundary(Record):
    """A clip closed: ``[start, end)`` of its video is one event."""

    type: ClassVar[str] = "clip.boundary"

    clip_id: str
    video_id: str
    url: str
    index: Annotated[int, Field(ge=0, description="Place of the clip in its video, from 0.")]
    start: Seconds
    end: Seconds
    start_frame: Annotated[int, Field(ge=0, description="First frame, in presentation order.")]
    end_frame: Annotated[int, Field(ge=0, description="One past the last frame.")]
    shots: tuple[ShotSpan, ...]
    width: Annotated[int, Field(description="Pixels, as displayed (rotation applied).")]
    height: int
    fps: Annotated[float, Field(description="Average frames per second of the stream.")]


class Candidate(BaseModel):
    """One captioner's caption for one clip, or why there is none."""

    model_config = ConfigDict(frozen=True)
    captioner: str
    caption: str
    score: float
    error: str | None = None


class ClipCaption(ClipBoundary):
    """A clip captioned: the candidate that matches best, and all others."""

    type: ClassVar[str] = "clip.caption"

    caption: str
    matching_score: Annotated[
        float,
        Field(
            description="Score of the best candidate: its captioner's confidence, 0 to 1, or the "
            "cosine of caption and frames, -1 to 1, as `ranking` in models says."
        ),
    ]
    weak: Annotated[
        bool, Field(description="Whether the score is below the profile's threshold.")
    ] = False
    candidates: tuple[Candidate, ...]
    models: Annotated[
        dict[str, str],
        Field(description="Each model used and its version; `ranking` is `confidence` or `clip`."),
    ]


class VideoError(BaseModel):
    """Why a video failed, was rejected, or is partial."""

    model_config = ConfigDict(frozen=True)
    stage: str
    kind: str
    message: str
    fault: Annotated[
        Literal["job", "world", "worker"],
        Field(description="What is bad: the job itself, something it needs, or its worker."),
    ] = "job"
    attempts: int = 1


class VideoDone(Record):
    """The one terminal record of a job. A partial result is ``done`` with ``error`` set."""

    type: ClassVar[str] = "video.done"

    video_id: str
    url: str
    status: Literal["done", "failed", "rejected"]
    clips: int = 0
    duration: Annotated[float, Field(description="Seconds of video decoded.")] = 0.0
    frames: int = 0
    dropped: Annotated[
        dict[str, int], Field(description="Clips and shots left out, counted by rule.")
    ] = {}
    error: VideoError | None = None
    decoder: Annotated[
        str | None,
        Field(
            description="What decoded: `pyav`, `dali-cpu` or `dali-gpu`, the latter two with "
            "`+pyav` where PyAV went on; null if nothing did."
        ),
    ] = None
    decoder_reason: Annotated[
        str | None, Field(description="Why PyAV decoded the video, or the rest of it.")
    ] = None
    timings: Annotated[
        dict[str, float],
        Field(description="Wall seconds by stage, in `total`, and until the `first_boundary`."),
    ] = {}
