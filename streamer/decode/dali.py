"""Decoding with DALI: on NVDEC, or on the CPU for VP8, VP9 and MJPEG.

Frames stay on the device until they are small. Their times are those of the container's packets,
placed as PyAV's frames are, so that both decoders give the same spans.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Self

import numpy as np

from streamer.config import DecodeSettings
from streamer.decode.batching import BATCH_FRAMES
from streamer.decode.colour_matrix import correct_matrix
from streamer.decode.dali_errors import describe_dali, unsupported
from streamer.decode.dali_pipeline import Device, Request, Step, steps
from streamer.decode.damage import Damage
from streamer.decode.interface import AVERAGED, FrameBatch, Pixels, Sample, SmallFormat
from streamer.decode.limits import check_moves, check_seconds
from streamer.decode.opening import choose_stream, open_container
from streamer.decode.planning import BatchPlan, Planner
from streamer.decode.probing import Probe, probe
from streamer.decode.timeline import SamplePoints, Timeline
from streamer.errors import JobFailed

# What DALI reads, by the first of libavformat's names: it needs timestamps, and for NVDEC parameter
# sets, as these containers have them.
_CONTAINERS = ("mov", "matroska", "ivf")
CODECS: dict[Device, tuple[str, ...]] = {
    "cpu": ("vp8", "vp9", "mjpeg"),
    "gpu": ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg"),
}
# The frames of one step, converted to RGB, take at most this on the device; several steps are
# under way.
_STEP_BYTES = 200 << 20
# Closer than frames at 500 a second are; DALI gives times as floating-point numbers.
_SAME_SECONDS = 0.001

Decoded = tuple[BatchPlan, Step]


def decode_dali(
    path: Path, settings: DecodeSettings, small: SmallFormat = AVERAGED, device: Device = "gpu"
) -> DaliStream:
    """Open a file for one pass of decoding, and decode its first frames.

    Args:
        path: the file.
        settings: sampling and limits.
        small: what the small frames are to be like.
        device: where to decode.

    Raises:
        JobRejected: ``not_a_video``, ``no_video_stream``, ``too_many_pixels`` or ``too_long``.
        JobFailed: ``truncated``, ``unreadable``, ``undecodable``, ``dali_failed``, or
            ``unsupported_codec`` for a stream that DALI does not decode on the device.
        Unavailable: ``gpu_out_of_memory``.
        WorkerBroken: ``dali_missing``, ``gpu_missing`` or ``gpu_driver_old``.
    """
    found = probe(path, settings)
    _check_supported(found, device)
    with ExitStack() as opened:
        damage = Damage()
        container = opened.enter_context(open_container(path, settings))
        planner = Planner(
            container,
            choose_stream(container),
            Timeline(found.info.time_base, found.info.average_rate),
            SamplePoints(settings.sample_rate, found.info.time_base),
            damage,
        )
        name = opened.enter_context(_new_name(path))
        request = _request(name, found, small, device)
        decoded = opened.enter_context(closing(_decode(request, planner)))
        first = [*islice(decoded, 1)]
        decoder, ahead = f"dali-{device}", chain(first, decoded)
        return DaliStream(found, settings, decoder, planner, ahead, opened.pop_all())


def _check_supported(found: Probe, device: Device) -> None:
    container, codec = found.container.partition(",")[0], found.info.codec
    if container not in _CONTAINERS:
        raise unsupported(f"DALI does not read {container} files frame by frame")
    if codec not in CODECS[device]:
        raise unsupported(f"DALI does not decode {codec} on the {device.upper()}")
    if not found.is_only_video:
        raise unsupported("the file has several video streams, of which DALI takes its own choice")


@contextmanager
def _new_name(path: Path) -> Iterator[Path]:
    """A name of the file that never comes twice, as DALI keeps what it knows of a name."""
    with tempfile.TemporaryDirectory(prefix="streamer-dali-") as folder:
        link = Path(folder) / path.name
        link.symlink_to(path.absolute())
        yield link


def _request(path: Path, found: Probe, small: SmallFormat, device: Device) -> Request:
    width, height = found.coded
    turn = found.layout.orientation
    return Request(
        path=path,
        device=device,
        frames=max(1, min(BATCH_FRAMES, _STEP_BYTES // (width * height * 3))),
        small=small,
        small_size=turn.size(small.width, small.height)[::-1],
        sample_size=turn.size(*found.layout.sample)[::-1],
    )


def _decode(request: Request, planner: Planner) -> Generator[Decoded]:
    """What was planned and what came of it; DALI's failures as the service's."""
    plans: deque[BatchPlan] = deque()
    # DALI may hold on to what it reads plans from; closed, they read no more of the container.
    with (
        closing(planner.plans(request.frames)) as planned,
        closing(steps(request, _noted(planned, plans))) as decoding,
    ):
        try:
            for step in decoding:
                yield plans.popleft(), step
        except (RuntimeError, MemoryError, ImportError) as error:
            raise describe_dali(error) from error


def _noted(planned: Iterable[BatchPlan], plans: deque[BatchPlan]) -> Iterator[tuple[int, ...]]:
    for plan in planned:
        plans.append(plan)
        yield plan.sampled


class DaliStream:
    """An open video; made by `decode_dali`.

    The frames, times and sizes are those that PyAV gives. Decoding ends at the first packet that
    cannot be decoded, where PyAV goes on behind it.
    """

    def __init__(
        self,
        found: Probe,
        settings: DecodeSettings,
        decoder: str,
        planner: Planner,
        decoded: Iterator[Decoded],
        opened: ExitStack,
    ) -> None:
        self.info, self.decoder = found.info, decoder
        self._found, self._settings, self._planner = found, settings, planner
        self._decoded, self._opened, self._closed = decoded, opened, False
        self._first_ticks: int | None = None
        self._end_ticks = self._frames = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def damage(self) -> str | None:
        """After ``batches`` ended: what could not be decoded, in one line, or ``None``."""
        return str(self._planner.damage) or None

    @property
    def repaired_times(self) -> int:
        """Frames so far, and some ahead, whose timestamp was repeated or ran backwards."""
        return self._planner.timeline.repaired

    def close(self) -> None:
        """Free the decoder; an iteration under way ends."""
        self._closed = True
        self._opened.close()

    def batches(self) -> Iterator[FrameBatch]:
        """Decode from start to end, at most 32 frames a batch; iterate once.

        Raises:
            JobRejected: ``too_long``, or ``single_frame`` for a picture.
            JobFailed: ``undecodable`` if a damaged video gave but one frame.
            Unavailable: ``gpu_out_of_memory``.
        """
        for plan, step in self._readable():
            count = self._trusted(plan, step)
            if count:
                yield self._batch(plan, step, count)
            if count < len(plan):
                self._stopped()
                break
        if not self._closed:
            self._end()

    def _readable(self) -> Iterator[Decoded]:
        """What is decoded up to the first failure of the stream, which is noted as damage."""
        try:
            yield from self._decoded
        except JobFailed:
            self._stopped()

    def _stopped(self) -> None:
        self._planner.damage.stopped(self._end_ticks * self.info.time_base)

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
        samples = zip(plan.sampled, step.samples, strict=False)
        return FrameBatch(
            plan.first_index,
            plan.times[: count + 1],
            self.info.time_base,
            self._displayed(step.small[:count]),
            tuple(
                Sample(
                    plan.first_index + place,
                    int(plan.times[place]) * self.info.time_base,
                    self._displayed(pixels[None])[0],
                )
                for place, pixels in samples
                if place < count
            ),
        )

    def _check_length(self, plan: BatchPlan) -> None:
        if self._first_ticks is None:
            self._first_ticks = int(plan.times[0])
        elapsed = int(plan.times[-2]) - self._first_ticks
        if elapsed * self.info.time_base > self._settings.max_seconds:
            check_seconds(elapsed * self.info.time_base, self._settings)

    def _displayed(self, frames: Pixels) -> Pixels:
        """``(N, H, W, 3)`` in the stream's own colours, turned."""
        right = correct_matrix(frames, self._found.matrix)
        turn = self._found.layout.orientation.apply
        return np.stack([turn(frame) for frame in right])

    def _end(self) -> None:
        end, frame = self._end_ticks * self.info.time_base, 1 / self.info.average_rate
        if not self._planner.timeline.spliced:
            expected = self._planner.expected_end(self._found.stated_end)
            self._planner.damage.ended(end, expected, frame)
        check_moves(self._frames, self.damage)
