"""Clips come out while later frames decode, and jobs get the splitting that they ask for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from streamer.config import Settings
from streamer.decode import FrameBatch, VideoInfo, VideoStream, open_video
from streamer.pipeline import run_job
from streamer.sample_reel import SampleReel
from streamer_client.records import ClipBoundary, ClipCaption, Record, VideoDone, VideoJob
from streamer_client.triton import TritonModels
from tests.e2e.films import looped
from tests.e2e.installation import boundaries, captions

pytestmark = pytest.mark.services


@dataclass
class Counted:
    """A real video stream that counts the frames it has given."""

    stream: VideoStream
    frames: int = 0

    @property
    def info(self) -> VideoInfo:
        return self.stream.info

    @property
    def decoder(self) -> str:
        return self.stream.decoder

    @property
    def decoder_reason(self) -> str | None:
        return self.stream.decoder_reason

    @property
    def damage(self) -> str | None:
        return self.stream.damage

    def batches(self) -> Iterator[FrameBatch]:
        for batch in self.stream.batches():
            self.frames += len(batch)
            yield batch

    def close(self) -> None:
        self.stream.close()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Counted]:
    """The streams that the pipeline opens from now on."""
    opened: list[Counted] = []

    def open_counted(*arguments: Any) -> Counted:
        opened.append(Counted(open_video(*arguments)))
        return opened[-1]

    monkeypatch.setattr("streamer.pipeline.open_video", open_counted)
    return opened


def run(reel: SampleReel, models: TritonModels, settings: Settings, **job: Any) -> list[Record]:
    records = list(run_job(VideoJob(url=str(reel.path), **job), models, settings))
    assert isinstance(records[-1], VideoDone)
    assert (records[-1].status, records[-1].error) == ("done", None)
    assert records[-1].clips == len(boundaries(records))
    return records


def test_clips_come_out_while_later_frames_decode(
    reel: SampleReel, models: TritonModels, local: Settings, decoded: list[Counted]
) -> None:
    url = str(looped(reel.path, reel.path.with_name("looped.mp4"), 8))
    seen: dict[type[Record], int] = {}
    for record in run_job(VideoJob(url=url), models, local):
        seen.setdefault(type(record), decoded[0].frames)
    assert seen[VideoDone] == 8 * reel.frames
    # A few shots may wait for their embeddings, and a few clips for their captions, before
    # decoding waits for them.
    assert seen[ClipBoundary] < 2 * reel.frames
    assert seen[ClipCaption] < 4 * reel.frames


def test_a_job_can_be_given_up_half_way(
    reel: SampleReel, models: TritonModels, local: Settings, decoded: list[Counted]
) -> None:
    records = run_job(VideoJob(url=str(reel.path)), models, local)
    next(records)
    records.close()  # type: ignore[attr-defined]
    assert decoded[0].frames < reel.frames
    assert list(decoded[0].stream.batches()) == []


@pytest.mark.parametrize("detector", ["auto", "content", "transnetv2"])
def test_every_detector_finds_the_cuts(
    reel: SampleReel, models: TritonModels, local: Settings, detector: str
) -> None:
    records = run(reel, models, local, options={"detector": detector, "captions": False})
    starts = [clip.start_frame for clip in boundaries(records)][1:]
    fade_start, fade_end = reel.fade
    found = [start for start in starts if not fade_start <= start <= fade_end]
    assert len(found) == len(reel.cuts)
    assert all(abs(start - cut) <= 5 for start, cut in zip(found, reel.cuts, strict=True))


def test_the_detector_is_named_where_it_is_a_model(
    reel: SampleReel, models: TritonModels, local: Settings
) -> None:
    plain = run(reel, models, local, options={"detector": "content"})
    windows = run(reel, models, local, options={"detector": "transnetv2"})
    given = run(reel, models, local, spans=[(0.0, 1.0)], options={"detector": "transnetv2"})
    assert captions(windows)[0].models.keys() - captions(plain)[0].models.keys() == {"shots"}
    assert captions(given)[0].models.keys() == captions(plain)[0].models.keys()


def test_given_spans_are_captioned_as_they_are(
    reel: SampleReel, models: TritonModels, local: Settings
) -> None:
    records = run(reel, models, local, spans=[(0.5, 2.0), (3.0, 9.0), (20.0, 20.4), (40.0, 50.0)])
    frames = [(clip.start_frame, clip.end_frame) for clip in boundaries(records)]
    # Frames that begin in the span, at 25 a second; the last span lies behind the end.
    assert frames == [(13, 50), (75, 225), (500, 510)]
    assert [caption.start_frame for caption in captions(records)] == [13, 75, 500]
    assert isinstance(records[-1], VideoDone)
    assert records[-1].dropped == {"span_outside_video": 1}


def test_without_captions_there_are_boundaries_only(
    reel: SampleReel, models: TritonModels, local: Settings
) -> None:
    records = run(reel, models, local, options={"captions": False})
    assert captions(records) == []
    assert len(boundaries(records)) == 7


def test_the_presets_of_the_paper(reel: SampleReel, models: TritonModels, local: Settings) -> None:
    released = run(reel, models, local, options={"preset": "panda-released"})
    collected = run(reel, models, local, options={"preset": "panda-collected"})
    for records in (released, collected):
        assert len(captions(records)) == len(boundaries(records)) >= 4
    edges = [0, *reel.cuts, *reel.fade, reel.frames]
    shots = {(start, end) for start, end in itertools.pairwise(sorted(edges))}
    for clip in boundaries(collected):  # cut by a tenth at each end
        around = [(start, end) for start, end in shots if start < clip.start_frame < end]
        ((start, end),) = around
        margin = (end - start) / 10
        assert clip.start_frame == pytest.approx(start + margin, abs=2)
        assert clip.end_frame == pytest.approx(end - margin, abs=2)
    whole = {(clip.start_frame, clip.end_frame) for clip in boundaries(released)}
    assert len(whole & shots) >= 4
