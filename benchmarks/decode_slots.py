"""Processes that decode side by side, as slots do: the stage, decoding alone, PyAV."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any

from benchmarks import media
from benchmarks.figures import Bar, Figure
from benchmarks.media import Reel
from streamer.config import DecodeSettings
from streamer.decode import FrameBatch, open_video
from streamer.decode.dali_pipeline import Device
from streamer.decode.gpu import read_cards
from streamer.errors import StreamerError, UsageError

SLOTS = (1, 2, 4, 8, 16)
SECONDS = 120  # of video, so that starting weighs little
OF_THE_LIMIT = Bar(0.9, at_least=True)
CODECS = {"H.264": "libx264", "HEVC": "libx265"}
_STEP_FRAMES = 32
_WARM_BATCHES = 3
_START_SECONDS = 300.0
_WATCH_SECONDS = 0.2


@dataclass(frozen=True)
class SlotRuns:
    """What processes side by side came to.

    Attributes:
        rate: frames per second of all together.
        host_bytes: bytes of pixels on the host per frame.
        gpu_mb: GPU memory per process at the most, in MiB; None without a card.
    """

    rate: float
    host_bytes: float
    gpu_mb: float | None


@dataclass(frozen=True)
class _Ran:
    start: float
    end: float
    frames: int
    host_bytes: int


Way = Callable[[Path, DecodeSettings], tuple[int, int]]


def stage(path: Path, settings: DecodeSettings) -> tuple[int, int]:
    """The decode stage as the service runs it; frames and bytes of pixels it handed over."""
    with open_video(path, settings) as video:
        sizes = [(len(batch), _bytes(batch)) for batch in video.batches()]
    return sum(frames for frames, _ in sizes), sum(each for _, each in sizes)


def decoding_alone(path: Path, settings: DecodeSettings) -> tuple[int, int]:
    """DALI's reader and nothing behind it: what the decoding hardware gives."""
    from nvidia.dali import fn, pipeline_def

    device: Device = "gpu" if settings.device == "gpu" else "cpu"

    def graph() -> Any:
        return fn.experimental.readers.video(
            device=device,
            filenames=[str(path)],
            sequence_length=_STEP_FRAMES,
            name="reader",
        )

    card = 0 if device == "gpu" else None
    pipeline = pipeline_def(batch_size=1, num_threads=1, device_id=card)(graph)()
    pipeline.build()
    steps = pipeline.reader_meta("reader")["epoch_size"]
    for _ in range(steps):
        pipeline.run()
    return steps * _STEP_FRAMES, 0


def run_slots(way: Way, path: Path, settings: DecodeSettings, slots: int) -> SlotRuns:
    """Decode ``path`` in ``slots`` processes at once, each warm before the clock starts."""
    spawn = multiprocessing.get_context("spawn")
    free_before = _free_mb()
    with ProcessPoolExecutor(slots, spawn, _join, (spawn.Barrier(slots),)) as pool:
        running = [pool.submit(_run, way, path, settings) for _ in range(slots)]
        least = _least_free_mb(running)
        ran = _results(running)
    seconds = max(each.end for each in ran) - min(each.start for each in ran)
    frames = sum(each.frames for each in ran)
    taken = None if free_before is None or least is None else (free_before - least) / slots
    return SlotRuns(frames / seconds, sum(each.host_bytes for each in ran) / frames, taken)


def measure_gpu(
    reel: Reel, folder: Path, slots: Sequence[int] = SLOTS
) -> Iterator[tuple[list[Figure], list[str]]]:
    """Figures of 1080p H.264 and HEVC on the first card, and what they were taken on.

    All of them so far, after each number of slots: it takes minutes, and may be cut short.

    Raises:
        UsageError: if there is no card.
    """
    cards = read_cards()
    if not cards:
        raise UsageError("there is no GPU to measure on; run this with --device cpu")
    figures: list[Figure] = []
    failures: list[str] = []
    notes = [
        f"card: {cards[0].name}, driver {cards[0].driver}",
        f"PyAV on {len(os.sched_getaffinity(0))} processors, its threads shared among the slots",
        "decoding alone: DALI's reader with frames left on the card as RGB",
        "GPU memory: what was taken from the card while the stage ran, by slots",
    ]
    for name, codec in CODECS.items():
        once = media.enlarged(reel, folder / f"{codec}-once.mp4", codec)
        video = media.repeated(once, SECONDS, folder / f"{codec}.mp4")
        for count in slots:
            what = f"1080p {name}, {count} slots"
            try:
                figures += _figures(what, video.path, count)
            except (StreamerError, RuntimeError) as error:  # DALI's, or that of a lost process
                failures.append(f"{what}: not measured: {error or type(error).__name__}")
            yield figures, [*failures, *notes]


def _figures(name: str, path: Path, slots: int) -> list[Figure]:
    dali = DecodeSettings(decoder="dali", device="gpu")
    threads = max(1, len(os.sched_getaffinity(0)) // slots)
    alone = run_slots(decoding_alone, path, dali, slots)
    ours = run_slots(stage, path, dali, slots)
    pyav = run_slots(stage, path, DecodeSettings(decoder="pyav", threads=threads), slots)
    return [
        Figure(f"{name}: decode stage", (ours.rate,), "frames/s", 0),
        Figure(f"{name}: decoding alone", (alone.rate,), "frames/s", 0),
        Figure(f"{name}: stage ÷ decoding alone", (ours.rate / alone.rate,), bar=OF_THE_LIMIT),
        Figure(f"{name}: PyAV", (pyav.rate,), "frames/s", 0),
        Figure(f"{name}: stage ÷ PyAV", (ours.rate / pyav.rate,)),
        Figure(f"{name}: copied to the host per frame", (ours.host_bytes,), "bytes", 0),
        Figure(f"{name}: GPU memory per slot", (ours.gpu_mb or 0.0,), "MiB", 0),
    ]


def _results(running: list[Future[_Ran]]) -> list[_Ran]:
    """What all of them came to, or the error of the one that kept the others waiting."""
    wait(running)
    errors = [error for future in running if (error := future.exception())]
    for error in sorted(errors, key=lambda each: isinstance(each, BrokenBarrierError)):
        raise error
    return [future.result() for future in running]


# A barrier reaches a pool's processes only at their start.
_barrier: Barrier


def _join(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _run(way: Way, path: Path, settings: DecodeSettings) -> _Ran:
    # DALI keeps what it knows of a name, so warming up must not see the name that is timed.
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / path.name
        link.symlink_to(path.absolute())
        try:
            _warm(path, settings)
        except Exception:
            _barrier.abort()
            raise
        _barrier.wait(_START_SECONDS)
        start = time.monotonic()
        frames, host_bytes = way(link, settings)
        return _Ran(start, time.monotonic(), frames, host_bytes)


def _warm(path: Path, settings: DecodeSettings) -> None:
    with open_video(path, settings) as video:
        for _ in islice(video.batches(), _WARM_BATCHES):
            pass


def _bytes(batch: FrameBatch) -> int:
    return batch.small.nbytes + sum(sample.pixels.nbytes for sample in batch.samples)


def _least_free_mb(running: list[Future[_Ran]]) -> int | None:
    """The least free memory of the first card while they run."""
    least = _free_mb()
    while wait(running, _WATCH_SECONDS).not_done:
        free = _free_mb()
        least = free if least is None or free is None else min(least, free)
    return least


def _free_mb() -> int | None:
    cards = read_cards()
    return cards[0].free_mb if cards else None
