"""Records of captioned clips, with what matters to the test."""

from __future__ import annotations

from streamer_client.records import Candidate, ClipCaption, clip_id_of


def clip_caption(
    video: str,
    span: tuple[float, float],
    caption: str,
    *,
    score: float = 0.3,
    others: tuple[Candidate, ...] = (),
    weak: bool = False,
    url: str = "",
) -> ClipCaption:
    """The record of a clip that ``blip`` captioned best; ``others`` lost."""
    start, end = span
    return ClipCaption(
        clip_id=clip_id_of(video, start, end),
        video_id=video,
        url=url or f"https://example.org/{video}.mp4",
        index=0,
        start=start,
        end=end,
        start_frame=round(25 * start),
        end_frame=round(25 * end),
        shots=(),
        width=640,
        height=360,
        fps=25,
        caption=caption,
        matching_score=score,
        weak=weak,
        candidates=(*others, Candidate(captioner="blip", caption=caption, score=score)),
        models={"ranking": "clip"},
    )
