"""Decoding with DALI: on NVDEC, or on the CPU for VP8, VP9 and MJPEG.

Frames stay on the device until they are small. Their times are those of the container's packets,
placed as PyAV's frames are, so that both decoders give the same spans.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from av.container import InputContainer

from streamer.config import DecodeSettings
from streamer.decode.batching import BATCH_FRAMES
from streamer.decode.card_use import this_process
from streamer.decode.colour_matrix import correction
from streamer.decode.dali_errors import GPU_FAULT, describe_dali, unsupported
from streamer.decode.dali_pipeline import Device, Request, steps
from streamer.decode.dali_stream import DaliStream, Decoded, Video
from streamer.decode.gpu import Card
from streamer.decode.interface import AVERAGED, SmallFormat
from streamer.decode.opening import STAGE, choose_stream, open_container
from streamer.decode.packet_kinds import packet_kinds
from streamer.decode.planning import BatchPlan, Planner
from streamer.decode.probing import Probe, probe
from streamer.decode.timeline import Timeline
from streamer.errors import JobFailed

# What DALI reads, by the first of libavformat's names: it needs timestamps, and for NVDEC parameter
# sets, as these containers have them.
_CONTAINERS = ("mov", "matroska", "ivf")
_CPU_CODECS = ("vp8", "vp9", "mjpeg")
# DALI takes what NVDEC gives for NV12, which has one colour for four pixels.
_HALVED_COLOURS = ("yuv420p", "yuvj420p", "nv12")
# The frames of one step, converted to RGB, take at most this on the device; several steps are
# under way.
_STEP_BYTES = 200 << 20

_opened = itertools.count(1)


def decode_dali(
    path: Path,
    settings: DecodeSettings,
    small: SmallFormat = AVERAGED,
    card: Card | None = None,
) -> DaliStream:
    """Open a file for one pass of decoding, and decode its first frames.

    Args:
        path: the file.
        settings: sampling and limits.
        small: what the small frames are to be like.
        card: the GPU to decode on; without one, the CPU decodes.

    Raises:
        JobRejected: ``not_a_video``, ``no_video_stream``, ``too_many_pixels`` or ``too_long``.
        JobFailed: ``truncated``, ``unreadable``, ``undecodable``, ``dali_failed``, ``gpu_fault``,
            or ``unsupported_codec`` for a stream that DALI does not decode there.
        Unavailable: ``gpu_out_of_memory``.
        WorkerBroken: ``dali_missing``, ``gpu_missing`` or ``gpu_driver_old``.
    """
    found = probe(path, settings)
    check_supported(found, card)
    this_process.videos += card is not None
    device: Device = "cpu" if card is None else "gpu"
    with ExitStack() as opened:
        container = opened.enter_context(open_container(path, settings))
        planner = _planner(container, found, settings)
        request = _request(_new_name(path), found, small, device)
        decoded = opened.enter_context(closing(_decode(request, planner)))
        first = [*itertools.islice(decoded, 1)]
        _check_beginning(planner, sum(len(plan) for plan, _ in first) < request.frames)
        video = Video(path, found, settings, small, device)
        ahead = itertools.chain(first, decoded)
        return DaliStream(video, planner, ahead, opened.pop_all())


def check_supported(found: Probe, card: Card | None) -> None:
    """Refuse what DALI does not decode on a card, or without one on the CPU.

    Raises:
        JobFailed: ``unsupported_codec``.
    """
    container, codec = found.container.partition(",")[0], found.info.codec
    if container not in _CONTAINERS:
        raise unsupported(f"DALI does not read {container} files frame by frame")
    if not found.is_only_video:
        raise unsupported("the file has several video streams, of which DALI takes its own choice")
    if codec not in (card.codecs if card else _CPU_CODECS):
        raise unsupported(f"DALI does not decode {codec} on {card.name if card else 'the CPU'}")
    if card:
        _check_nvdec(found)


def _planner(container: InputContainer, found: Probe, settings: DecodeSettings) -> Planner:
    stream = choose_stream(container)
    return Planner(
        container,
        stream,
        Timeline(found.info.time_base, found.info.average_rate),
        settings.sample_rate,
        packet_kinds(found.info.codec, stream.codec_context.extradata or b""),
    )


def _check_nvdec(found: Probe) -> None:
    if found.info.codec == "h264" and found.is_interlaced:
        raise unsupported("DALI does not put fields together on the GPU")
    if not found.pixel_format.startswith(_HALVED_COLOURS):
        raise unsupported(f"DALI does not decode pixels of {found.pixel_format} on the GPU")
    # DALI writes beyond such frames and misses the first row of colours (color_space.cu).
    if any(side % 2 for side in found.layout.stored):
        raise unsupported("DALI does not decode odd sizes right on the GPU")


def _check_beginning(planner: Planner, is_short: bool) -> None:
    if planner.ended_at is None or not is_short:
        return
    if planner.ended_by == "damaged":
        raise JobFailed(
            "the first packets are damaged; fetch the file again, or decode it with --decoder "
            "auto or pyav, which go on behind them",
            kind="undecodable",
            stage=STAGE,
        )
    raise unsupported(
        "the first packets are not each one picture that is shown, as DALI needs them: some are "
        "cut off by an edit list, hidden, fields, or show a picture again"
    )


def _new_name(path: Path) -> str:
    """A spelling of the file's name that never comes twice.

    DALI keeps the index of every name it has seen, and would decode a new file of an old name by
    the old index. ``/.`` and ``/`` between folder and file mean nothing; they count in binary.
    """
    digits = (f"/{'.' if digit == '1' else ''}" for digit in f"{next(_opened):b}")
    return f"{path.parent.absolute()}{''.join(digits)}/{path.name}"


def _request(name: str, found: Probe, small: SmallFormat, device: Device) -> Request:
    width, height = found.layout.stored
    turn = found.layout.orientation
    return Request(
        name=name,
        device=device,
        frames=max(1, min(BATCH_FRAMES, _STEP_BYTES // (width * height * 3))),
        small=small,
        small_size=turn.size(small.width, small.height)[::-1],
        sample_size=turn.size(*found.layout.sample)[::-1],
        colours=correction(found.matrix),
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
            failure = describe_dali(error)
            this_process.is_lost |= failure.kind == GPU_FAULT
            raise failure from error


def _noted(planned: Iterable[BatchPlan], plans: deque[BatchPlan]) -> Iterator[tuple[int, ...]]:
    for plan in planned:
        plans.append(plan)
        yield plan.sampled
