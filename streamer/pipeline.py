"""The composition: one job in, its records out, exactly one of them terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from fractions import Fraction
from typing import Literal

from streamer.acquire import Media, acquire
from streamer.caption import CaptionedClip, caption_clips
from streamer.clip_text import VideoText
from streamer.clock import StageClock
from streamer.config import Settings
from streamer.decode import FrameBatch, VideoStream, open_video
from streamer.emit import RecordMaker
from streamer.failures import describe
from streamer.served import ServedModels, read_served
from streamer.splitting import Splitting
from streamer.stitch import Clip, cut_given_spans
from streamer_client.records import (
    ClipBoundary,
    Record,
    VideoDone,
    VideoError,
    VideoJob,
)
from streamer_client.triton import TritonModels


def run_job(job: VideoJob, models: TritonModels, settings: Settings) -> Iterator[Record]:
    """Yield the records of one job as they happen; the last is its ``VideoDone``, whatever happens.

    Closing the iterator early frees the decoder and removes what was fetched.
    """
    run = _Run(job, models, settings.for_job(job.options))
    try:
        yield from run.clip_records()
    except Exception as error:  # noqa: BLE001 - every failure becomes the terminal record
        status, failure = describe(error, run.clock.failed_stage)
        yield run.done(status, failure)
    else:
        yield run.done("done", run.damage)


class _Run:
    """One job on its way through the stages, and the tally of its terminal record."""

    def __init__(self, job: VideoJob, models: TritonModels, settings: Settings):
        self._job = job
        self._models = models
        self._settings = settings
        self._dropped: Counter[str] = Counter()
        self._frames = self._clips = 0
        self._duration = Fraction(0)
        self._video: VideoStream | None = None
        self.clock = StageClock()
        self.damage: VideoError | None = None

    def clip_records(self) -> Iterator[Record]:
        """Acquire, decode, shots, stitch, caption, emit."""
        with self.clock.stage("models"):
            served = self._served()
        with ExitStack() as opened:
            with self.clock.stage("acquire"):
                media = opened.enter_context(acquire(self._job.url, self._settings.acquire))
            splitting = Splitting(self._settings.split, served, self._models)
            with self.clock.stage("decode"):
                opening = open_video(media.path, self._settings.decode, splitting.small)
                self._video = video = opened.enter_context(closing(opening))
            maker = RecordMaker(self._job, video.info, served)
            clips = self._split(video, splitting)
            for item in self._captioned(clips, media):
                yield self._counted(maker.record(item))
            self.damage = _partial(video)

    def done(
        self, status: Literal["done", "failed", "rejected"], error: VideoError | None
    ) -> VideoDone:
        """The terminal record."""
        return VideoDone(
            video_id=self._job.video_id,
            url=self._job.url,
            status=status,
            clips=self._clips,
            duration=round(float(self._duration), 6),
            frames=self._frames,
            dropped=dict(self._dropped),
            error=error,
            decoder=self._video.decoder if self._video else None,
            decoder_reason=self._video.decoder_reason if self._video else None,
            timings=self.clock.timings(),
        )

    def _served(self) -> ServedModels:
        shots = self._settings.split.chosen_detector != "content" and self._job.spans is None
        return read_served(self._models, shots=shots, captions=self._job.options.captions)

    def _decoded(self, video: VideoStream) -> Iterator[FrameBatch]:
        for batch in self.clock.watch("decode", video.batches()):
            self._frames += len(batch)
            self._duration += int(batch.times[-1] - batch.times[0]) * batch.time_base
            yield batch

    def _split(self, video: VideoStream, splitting: Splitting) -> Iterator[Clip]:
        frames, batches = self._settings.caption.frames, self._decoded(video)
        if self._job.spans is not None:
            return cut_given_spans(batches, self._job.spans, frames, self._dropped)
        shots = splitting.shots(batches, float(video.info.average_rate))
        probed = splitting.probed(self.clock.watch("shots", shots), self._dropped)
        return splitting.clips(probed, frames, self._dropped)

    def _captioned(self, clips: Iterator[Clip], media: Media) -> Iterable[Clip | CaptionedClip]:
        clips = self.clock.watch("stitch", clips)
        if not self._job.options.captions:
            return clips
        text = VideoText.of(self._job.metadata, media)
        captioned = caption_clips(
            clips,
            lambda clip, frames: self._models.caption(frames, text.during(clip.span)),
            self._settings.caption.in_flight,
        )
        return self.clock.watch("caption", captioned)

    def _counted(self, record: Record) -> Record:
        if record.type == ClipBoundary.type:
            self._clips += 1
            self.clock.mark("first_boundary")
        return record


def _partial(video: VideoStream) -> VideoError | None:
    if video.damage is None:
        return None
    return VideoError(stage="decode", kind="partial", message=video.damage)
