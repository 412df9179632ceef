"""What becomes of a message on ``videos``: it is read, fetched and decoded by the real code."""

from __future__ import annotations

from streamer.acquire import acquire
from streamer.clip_text import VideoText
from streamer.config import Settings
from streamer.decode import open_video
from streamer.errors import JobFailed, JobRejected, StreamerError, Unavailable
from streamer.worker.message import Message, read_job
from streamer_client.records import VideoDone, VideoJob

_WORDS: tuple[tuple[type[StreamerError], str], ...] = (
    (JobRejected, "rejected"),
    (JobFailed, "failed"),
    (Unavailable, "retried"),
)


def outcome(value: bytes, settings: Settings) -> tuple[str, str]:
    """How a job ends, as ``rejected acquire address_refused``, and why, in words.

    An error that the service has no type for is not caught: it is a bug.
    """
    job = read_job(Message("videos", 0, 0, value))
    if isinstance(job, VideoDone):
        assert job.error is not None
        return f"{job.status} {job.error.stage} {job.error.kind}", job.error.message
    try:
        return "done", _work(job, settings)
    except StreamerError as error:
        word = next(word for kind, word in _WORDS if isinstance(error, kind))
        return f"{word} {error.stage} {error.kind}", error.message


def _work(job: VideoJob, settings: Settings) -> str:
    with acquire(job.url, settings.acquire) as media:
        text = VideoText.of(job.metadata, media)
        with open_video(media.path, settings.decode) as video:
            frames = sum(len(batch) for batch in video.batches())
        "".join(text.about).encode()
        return f"{frames} frames"
