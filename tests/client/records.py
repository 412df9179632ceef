"""Records of made-up videos."""

from __future__ import annotations

from streamer_client import (
    Candidate,
    ClipBoundary,
    ClipCaption,
    ShotSpan,
    VideoDone,
    clip_id_of,
)


def boundary(video_id: str, index: int) -> ClipBoundary:
    """The clip of two seconds that begins at twice its index."""
    start = 2.0 * index
    return ClipBoundary(
        clip_id=clip_id_of(video_id, start, start + 2),
        video_id=video_id,
        url=f"https://example.org/{video_id}.mp4",
        index=index,
        start=start,
        end=start + 2,
        start_frame=48 * index,
        end_frame=48 * (index + 1),
        shots=(
            ShotSpan(
                start=start, end=start + 2, start_frame=48 * index, end_frame=48 * (index + 1)
            ),
        ),
        width=640,
        height=360,
        fps=24.0,
    )


def caption(video_id: str, index: int) -> ClipCaption:
    """The same clip, captioned."""
    return ClipCaption(
        **dict(boundary(video_id, index)),
        caption=f"Clip {index}.",
        matching_score=0.75,
        candidates=(
            Candidate(captioner="captioner_tags", caption=f"Clip {index}.", score=0.75),
            Candidate(captioner="captioner_motion", caption="", score=0.0, error="too late"),
        ),
        models={"clip": "efficientnet-lite0 1", "ranking": "confidence"},
    )


def done(video_id: str, clips: int) -> VideoDone:
    """The end of a video with so many clips."""
    return VideoDone(
        video_id=video_id,
        url=f"https://example.org/{video_id}.mp4",
        status="done",
        clips=clips,
        duration=2.0 * clips,
        frames=48 * clips,
        timings={"total": 1.5},
    )
