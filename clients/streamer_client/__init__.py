"""The contract of the service for programs: records, topics, and the models over gRPC."""

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

__all__ = [
    "BadRecord",
    "Candidate",
    "ClipBoundary",
    "ClipCaption",
    "JobOptions",
    "Record",
    "ShotSpan",
    "Topics",
    "VideoDone",
    "VideoError",
    "VideoJob",
    "clip_id_of",
    "cloudevents_headers",
    "video_id_of",
]
