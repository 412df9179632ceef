"""A video that DALI decodes: its steps as batches, trusted as far as they are what was planned."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from streamer.config import DecodeSettings
from streamer.decode.continuing import rest_of
from streamer.decode.dali_pipeline import Device, Step
from streamer.decode.interface import FrameBatch, Pixels, Sample, SmallFormat
from streamer.decode.limits import check_moves, check_seconds
from streamer.decode.planning import BatchPlan, Planner
from streamer.decode.probing import Probe
from streamer.decode.pyav import PyavStream
from streamer.decode.pyav import open_video as decode_pyav
from streamer.errors import JobFailed, Unavailable, WorkerBroken

log = logging.getLogger(__name__)

# Closer than frames at 500 a second are; DALI gives times as floating-point numbers.
_SAME_SECONDS = 0.001

Decoded = tuple[BatchPlan, Step]


@dataclass(frozen=True)
class Video:
    """What is decoded, and how."""

    path: Path
    found: Probe
    settings: DecodeSettings
    small: SmallFormat
    device: Device


class DaliStream:
    """An open video; made by `streamer.decode.dali.decode_dali`.

    The frames, times and sizes are those that PyAV gives. Where DALI ends early the rest is PyAV's;
    at a packet that cannot be decoded it is that or missing, as ``decode.after_break`` says.

    Attributes:
        info: what the container says.
        decoder: ``dali-cpu`` or ``dali-gpu``, with ``+pyav`` once PyAV goes on.
        decoder_reason: why PyAV goes on, in one line; None while DALI decodes.
    """

    def __init__(
        self,
        video: Video,
        planner: Planner,
        decoded: Iterator[Decoded],
        opened: ExitStack,
    ) -> None:
        self.info, self.decoder = video.found.info, f"dali-{video.device}"
        self.decoder_reason: str | None = None
        self._video, self._planner = video, planner
        self._decoded, self._opened, self._closed = decoded, opened, False
        self._rest: PyavStream | None = None
        self._frames = self._start_ticks = self._end_ticks = 0
        self._stop: str | None = None
        self._is_sound = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def damage(self) -> str | None:
        """After ``batches`` ended: what could not be decoded, in one line, or ``None``."""
        return self._rest.damage if self._rest else str(self._planner.damage) or None

    @property
    def repaired_times(self) -> int:
        """Frames so far, and some ahead, whose timestamp was repeated or ran backwards."""
        return self._planner.timeline.repaired

    def close(self) -> None:
        """Free the decoder; an iteration under way ends."""
        self._closed = True
        self._opened.close()
        if self._rest:
            self._rest.close()

    def batches(self) -> Iterator[FrameBatch]:
        """Decode from start to end, at most 32 frames a batch; iterate once.

        Raises:
            JobRejected: ``too_long``, or ``single_frame`` for a picture.
            JobFailed: ``undecodable`` if a damaged video gave but one frame.
            Unavailable: with the decoder ``dali``, ``gpu_out_of_memory``.
            WorkerBroken: with the decoder ``dali``, ``gpu_missing`` or ``gpu_driver_old``.
        """
        yield from self._whole()
        if self._closed:
            return
        if self._stop and (self._is_sound or self._video.settings.after_break == "pyav"):
            self._opened.close()
            yield from self._continued()
        else:
            self._end()

    def _whole(self) -> Iterator[FrameBatch]:
        """What DALI decodes, up to where it fails or gives a frame that was not planned."""
        self._stop = "it gave another frame than the file says"
        try:
            for plan, step in self._decoded:
                if self._closed:
                    return
                count = self._trusted(plan, step)
                if count:
                    yield self._batch(plan, step, count)
                if count < len(plan):
                    return
        except (JobFailed, Unavailable, WorkerBroken) as error:
            if self._video.settings.decoder == "dali" and not isinstance(error, JobFailed):
                raise
            self._stop = error.message.partition(";")[0]
            self._is_sound = error.kind != "undecodable"
        else:
            self._stop, self._is_sound = self._planned_stop(), self._planner.ended_by == "other"

    def _planned_stop(self) -> str | None:
        if self._planner.ended_at is None:
            return None
        if self._planner.ended_by == "damaged":
            return "the next packets are damaged"
        return "the next packets are not each one picture that is shown"

    def _continued(self) -> Iterator[FrameBatch]:
        video = self._video
        self.decoder += "+pyav"
        self.decoder_reason = f"DALI stopped after {self._frames} frames: {self._stop}"
        log.info("PyAV goes on: %s", self.decoder_reason)
        with decode_pyav(video.path, video.settings, video.small) as self._rest:
            yield from rest_of(self._rest.batches(), self._frames, self._end_ticks)

    def _trusted(self, plan: BatchPlan, step: Step) -> int:
        """How many frames, from the first on, are the ones that were planned."""
        count = len(plan)
        planned = (plan.stamps - self._planner.first_stamp) * float(self.info.time_base)
        right = step.numbers[:count] == plan.first_index + np.arange(count)
        right &= np.abs(step.seconds[:count] - planned) < _SAME_SECONDS
        return int(np.logical_and.accumulate(right).sum())

    def _batch(self, plan: BatchPlan, step: Step, count: int) -> FrameBatch:
        self._check_length(plan)
        self._frames, self._end_ticks = plan.first_index + count, int(plan.times[count])
        chosen = zip(plan.sampled, step.samples, strict=False)
        samples = (self._sample(plan, place, each) for place, each in chosen if place < count)
        return FrameBatch(
            plan.first_index,
            plan.times[: count + 1],
            self.info.time_base,
            self._displayed(step.small[:count]),
            tuple(samples),
        )

    def _sample(self, plan: BatchPlan, place: int, pixels: Pixels) -> Sample:
        time = int(plan.times[place]) * self.info.time_base
        return Sample(plan.first_index + place, time, self._displayed(pixels[None])[0])

    def _check_length(self, plan: BatchPlan) -> None:
        if not plan.first_index:
            self._start_ticks = int(plan.times[0])
        elapsed = int(plan.times[-2]) - self._start_ticks
        check_seconds(elapsed * self.info.time_base, self._video.settings)

    def _displayed(self, frames: Pixels) -> Pixels:
        """``(N, H, W, 3)`` turned, contiguous."""
        turn = self._video.found.layout.orientation.apply
        return np.stack([turn(frame) for frame in frames])

    def _end(self) -> None:
        planner, frame = self._planner, 1 / self.info.average_rate
        end = self._end_ticks * self.info.time_base
        if self._stop:
            planner.damage.stopped(end)
        if not planner.timeline.spliced:
            planner.damage.ended(end, planner.expected_end(self._video.found.stated_end), frame)
        check_moves(self._frames, self.damage)
