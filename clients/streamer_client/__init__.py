"""Streamer for programs: submit videos, follow their clips, ask the models.

What connects to Kafka or Triton is loaded on first use: who needs the records alone pays for
nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streamer_client.errors import (
    AccessDenied,
    BadInput,
    BadVideo,
    BrokerUnavailable,
    ClientError,
    ModelDied,
    ModelError,
    ModelNotServed,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    WaitTimeout,
)
from streamer_client.records import (
    BadRecord,
    Candidate,
    ClipBoundary,
    ClipCaption,
    JobOptions,
    Record,
    ShotSpan,
    VideoDone,
    VideoError,
    VideoJob,
    clip_id_of,
    video_id_of,
)
from streamer_client.topics import Topics, cloudevents_headers

if TYPE_CHECKING:
    from streamer_client.async_models import AsyncModels
    from streamer_client.clips import Clips, Outcome, wait
    from streamer_client.connection import Tls
    from streamer_client.jobs import Producer
    from streamer_client.models import Models
    from streamer_client.triton import CaptionResult

__all__ = [
    "AccessDenied",
    "AsyncModels",
    "BadInput",
    "BadRecord",
    "BadVideo",
    "BrokerUnavailable",
    "Candidate",
    "CaptionResult",
    "ClientError",
    "ClipBoundary",
    "ClipCaption",
    "Clips",
    "JobOptions",
    "ModelDied",
    "ModelError",
    "ModelNotServed",
    "ModelRefused",
    "ModelTimeout",
    "ModelUnavailable",
    "Models",
    "Outcome",
    "Producer",
    "Record",
    "ShotSpan",
    "Tls",
    "Topics",
    "VideoDone",
    "VideoError",
    "VideoJob",
    "WaitTimeout",
    "clip_id_of",
    "cloudevents_headers",
    "video_id_of",
    "wait",
]

_LATER = {
    "AsyncModels": "async_models",
    "CaptionResult": "triton",
    "Clips": "clips",
    "Models": "models",
    "Outcome": "clips",
    "Producer": "jobs",
    "Tls": "connection",
    "wait": "clips",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return __all__
