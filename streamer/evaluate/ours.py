"""The service's own splitting of one video, watched from inside."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from streamer.config import Settings
from streamer.decode import FrameBatch, open_video
from streamer.evaluate.boundaries import Frames
from streamer.evaluate.split import ShotSeen, Split
from streamer.served import read_served
from streamer.shots import LongShotRule, TransNetV2Detector, find_shots
from streamer.spans import Span
from streamer.splitting import Splitting
from streamer.stitch import Clip, ProbedShot
from streamer.stitch.rules import distance
from streamer_client.triton import TritonModels

Advance = Callable[[int], None]
_WHOLE_SHOTS = LongShotRule(over=Fraction(10**9))


def split_video(
    path: Path, models: TritonModels, settings: Settings, method: str, advance: Advance
) -> Split:
    """Split one file as a job would: decode, shots, probes, stitching; no captions.

    Args:
        path: the video.
        models: the connection to Triton.
        settings: detector, preset and thresholds, and how to decode.
        method: name for the result.
        advance: told how many frames were decoded since it was called last.

    Raises:
        StreamerError: if the video or the models fail.
    """
    watch = _Watch(advance)
    start = time.perf_counter()
    served = read_served(models, shots=settings.split.chosen_detector != "content", captions=False)
    splitting = Splitting(settings.split, served, models)
    with closing(open_video(path, settings.decode, splitting.small)) as video:
        batches = watch.batches(video.batches())
        shots = splitting.shots(batches, float(video.info.average_rate))
        probed = watch.shots(splitting.probed(shots, Counter()))
        clips = [*watch.clips(splitting.clips(probed, settings.caption.frames, Counter()))]
    seconds = time.perf_counter() - start
    seen = tuple(watch.seen)
    counts = tuple(len(clip.shots) for clip in clips)
    spans = tuple(_frames(clip.span) for clip in clips)
    return Split(method, spans, seen, counts, watch.decoded, seconds, tuple(watch.frames_after))


def split_into_shots(
    path: Path, models: TritonModels, settings: Settings, method: str, advance: Advance
) -> Split:
    """The shots that TransNetV2 sees, each as a clip: nothing is stitched, dropped or cut up."""
    watch = _Watch(advance)
    start = time.perf_counter()
    with closing(open_video(path, settings.decode)) as video:
        detector = TransNetV2Detector(models.detect_shots)
        found = find_shots(watch.batches(video.batches()), detector, _WHOLE_SHOTS)
        clips = tuple(_frames(shot.span) for shot in found)
    seconds = time.perf_counter() - start
    shots = tuple(ShotSeen(clip) for clip in clips)
    return Split(method, clips, shots, (1,) * len(clips), watch.decoded, seconds)


def _frames(span: Span) -> Frames:
    return Frames(span.start_frame, span.end_frame)


class _Watch:
    """Counts frames, keeps the distances by which stitching decides, notes how late clips come."""

    def __init__(self, advance: Advance):
        self._advance = advance
        self._last: ProbedShot | None = None
        self.seen: list[ShotSeen] = []
        self.decoded = 0
        self.frames_after: list[int] = []

    def batches(self, batches: Iterable[FrameBatch]) -> Iterator[FrameBatch]:
        for batch in batches:
            self.decoded += len(batch)
            yield batch
            self._advance(len(batch))

    def shots(self, shots: Iterable[ProbedShot]) -> Iterator[ProbedShot]:
        for shot in shots:
            before = None if self._last is None else distance(self._last.tail, shot.head)
            inner = distance(shot.head, shot.tail)
            begins_with_cut = shot.shot.after_cut and self._last is not None
            self.seen.append(ShotSeen(_frames(shot.shot.span), begins_with_cut, inner, before))
            self._last = shot
            yield shot

    def clips(self, clips: Iterable[Clip]) -> Iterator[Clip]:
        for clip in clips:
            self.frames_after.append(self.decoded - clip.span.end_frame)
            yield clip
