"""Writes the records of this version: ``python -m tests.client.write_goldens``.

Run it once when a version changes the records, for a folder of its own; older ones stay as they
are, since readers will meet such records for a long time.
"""

from __future__ import annotations

from pathlib import Path

from streamer_client import ClipBoundary, JobOptions, VideoDone, VideoError, VideoJob
from tests.client.records import boundary, caption, done

GOLDENS = Path(__file__).parent / "goldens"
VERSION = "0.1"

JOB = VideoJob(
    url="https://example.org/a.mp4",
    metadata={"title": "A", "subtitles": [{"start": 1.5, "end": 3.0, "text": "Hello."}]},
    spans=((0.0, 2.5), (4.0, 6.0)),
    options=JobOptions(detector="content", preset="panda-released", captions=False),
)
FAILED = VideoDone(
    video_id="a",
    url="https://example.org/a.mp4",
    status="failed",
    clips=1,
    duration=2.0,
    frames=48,
    dropped={"clip_too_short": 2},
    error=VideoError(stage="decode", kind="truncated", message="cut off", attempts=3),
    decoder="pyav",
    timings={"total": 1.5, "first_boundary": 0.5},
)
RECORDS: dict[str, VideoJob | ClipBoundary | VideoDone] = {
    "video.job": JOB,
    "clip.boundary": boundary("a", 1),
    "clip.caption": caption("a", 1),
    "video.done": done("a", 2),
    "video.done.failed": FAILED,
}


def main() -> None:
    """Write the goldens of this version."""
    folder = GOLDENS / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    for name, record in RECORDS.items():
        (folder / f"{name}.json").write_bytes(record.to_bytes() + b"\n")


if __name__ == "__main__":
    main()
