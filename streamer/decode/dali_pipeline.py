"""The DALI pipeline: a file in, small frames and samples out, scaled on the device that decodes."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decode.interface import Pixels, SmallFormat

Device = Literal["cpu", "gpu"]

# One card a slot; which one is what CUDA_VISIBLE_DEVICES makes the first.
_CARD = 0
# Steps that are decoded ahead of the one that is handed over.
_AHEAD = 2
# DALI has no filter that takes means over areas. Means over blocks of 8x8 of a picture scaled by a
# triangle do as well: over five real clips they differ from PyAV's means by 0.1 to 0.5 of 255, and
# steps between frames are at most 1.7 % smaller. With blocks of 4x4 it was 0.2 to 0.6 and 2.6 %.
_BLOCK = 8


@dataclass(frozen=True)
class Request:
    """What is decoded, and into what.

    Attributes:
        name: of the file; new in this process.
        device: where it is decoded and scaled.
        frames: how many a step.
        small: what the small frames are like.
        small_size: their height and width before turning.
        sample_size: height and width of samples before turning.
        colours: a 3x3 matrix by rows that puts RGB right, or None if it is.
    """

    name: str
    device: Device
    frames: int
    small: SmallFormat
    small_size: tuple[int, int]
    sample_size: tuple[int, int]
    colours: tuple[float, ...] | None


@dataclass(frozen=True)
class Step:
    """What one step of the pipeline gave.

    Attributes:
        numbers: index of each frame as DALI counts, -1 past the end.
        seconds: time of each frame after the first of the video.
        small: uint8 ``(frames, height, width, 3)``, not turned.
        samples: uint8 ``(N, height, width, 3)``, not turned; one without meaning if none was due.
    """

    numbers: NDArray[np.int32]
    seconds: NDArray[np.float64]
    small: Pixels
    samples: Pixels


def steps(request: Request, sampled: Iterable[tuple[int, ...]]) -> Generator[Step]:
    """Decode from start to end.

    Args:
        request: what is decoded, and into what.
        sampled: for each step, which of its frames are samples; the steps end with it. Read as
            far ahead as frames are decoded.

    Raises:
        RuntimeError: whatever DALI meets; `streamer.decode.dali_errors` knows what it means.
    """
    # Loading DALI takes a moment, and most machines decode without it.
    from nvidia.dali import pipeline_def

    orders = (np.array(places or (0,), np.int32) for places in sampled)
    pipeline = pipeline_def(
        batch_size=1,
        num_threads=1,
        device_id=None if request.device == "cpu" else _CARD,
        prefetch_queue_depth=_AHEAD,
    )(_graph)(request, orders)
    pipeline.build()
    while True:
        try:
            small, samples, numbers, seconds = pipeline.run()
        except StopIteration:
            return
        yield Step(_host(numbers), _host(seconds), _host(small), _host(samples))


def _graph(request: Request, orders: Iterator[NDArray[np.int32]]) -> tuple[Any, ...]:
    from nvidia.dali import fn, types

    order = fn.external_source(source=orders, batch=False, dtype=types.INT32, ndim=1)
    frames, numbers, seconds = fn.experimental.readers.video(
        device=request.device,
        filenames=[request.name],
        sequence_length=request.frames,
        pad_mode="constant",
        enable_frame_num="sequence",
        enable_timestamps=True,
    )
    chosen = fn.sequence_rearrange(frames, new_order=order)
    samples = fn.resize(
        chosen, size=request.sample_size, interp_type=types.INTERP_CUBIC, antialias=True
    )
    return _rgb(_small(frames, request), request), _rgb(samples, request), numbers, seconds


def _small(frames: Any, request: Request) -> Any:
    from nvidia.dali import fn, types

    height, width = request.small_size
    if not request.small.is_averaged:
        return fn.resize(frames, size=(height, width), interp_type=types.INTERP_NN)
    scaled = fn.resize(
        frames,
        size=(height * _BLOCK, width * _BLOCK),
        interp_type=types.INTERP_TRIANGULAR,
        antialias=True,
    )
    shape = [request.frames, height, _BLOCK, width, _BLOCK, 3]
    blocks = fn.reshape(scaled, shape=shape, layout="")
    return fn.cast(fn.reductions.mean(blocks, axes=[2, 4]), dtype=types.UINT8)


def _rgb(pixels: Any, request: Request) -> Any:
    from nvidia.dali import fn, types

    if request.colours is None:
        return pixels
    return fn.coord_transform(pixels, M=list(request.colours), dtype=types.UINT8)


def _host(outputs: Any) -> NDArray[Any]:
    """The one tensor of an output, on the host, handed over by DLPack."""
    # The pipeline takes its buffers back at the next step.
    return np.from_dlpack(outputs.as_cpu()[0]).copy()
