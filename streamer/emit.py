"""From the pipeline's exact types to the records on the wire."""

from __future__ import annotations

from streamer.caption import CaptionedClip
from streamer.decode import VideoInfo
from streamer.served import ServedModels
from streamer.spans import Span
from streamer.stitch import Clip
from streamer_client.records import (
    ClipBoundary,
    ClipCaption,
    Record,
    ShotSpan,
    VideoJob,
    clip_id_of,
)


class RecordMaker:
    """Makes the records of one video.

    Args:
        job: what was asked for.
        info: what the container says.
        served: the models used.
    """

    def __init__(self, job: VideoJob, info: VideoInfo, served: ServedModels):
        self._job = job
        self._info = info
        self._served = served

    def record(self, item: Clip | CaptionedClip) -> Record:
        """The boundary of a closed clip, or the caption of a captioned one."""
        return self._caption(item) if isinstance(item, CaptionedClip) else self._boundary(item)

    def _boundary(self, clip: Clip) -> ClipBoundary:
        span = _shot_span(clip.span)
        return ClipBoundary(
            clip_id=clip_id_of(self._job.video_id, span.start, span.end),
            video_id=self._job.video_id,
            url=self._job.url,
            index=clip.index,
            start=span.start,
            end=span.end,
            start_frame=span.start_frame,
            end_frame=span.end_frame,
            shots=tuple(_shot_span(shot) for shot in clip.shots),
            width=self._info.width,
            height=self._info.height,
            fps=float(self._info.average_rate),
        )

    def _caption(self, captioned: CaptionedClip) -> ClipCaption:
        boundary = self._boundary(captioned.clip)
        return ClipCaption(
            **dict(boundary),
            caption=captioned.result.caption,
            matching_score=captioned.result.matching_score,
            candidates=captioned.result.candidates,
            weak=self._is_weak(captioned.result.matching_score),
            models=dict(self._served.versions),
        )

    def _is_weak(self, score: float) -> bool:
        below = self._served.weak_below
        return below is not None and score < below


def _shot_span(span: Span) -> ShotSpan:
    return ShotSpan(
        start=round(float(span.start), 6),
        end=round(float(span.end), 6),
        start_frame=span.start_frame,
        end_frame=span.end_frame,
    )
