"""Speed of the decode stage, beside decoding alone in the same run.

Run ``make bench-decode``, or ``python -m benchmarks.decode`` in the project's root. On a CPU: PyAV,
with the content detector and beside PySceneDetect, and DALI's VP9 path beside PyAV's. With
``--device gpu``: 1080p H.264 and HEVC by DALI in 1 to 16 processes, beside a loop that only decodes
on the card, and PyAV. The first part is also in ``make bench``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import av

from benchmarks import media
from benchmarks.decode_slots import SLOTS, measure_gpu
from benchmarks.figures import Figure, quotients
from benchmarks.media import Reel
from benchmarks.report import markdown
from streamer.config import DecodeSettings
from streamer.decode import SPARSE, open_video
from streamer.errors import UsageError
from streamer.shots import ContentDetector

REPEATS = 5
VP9_SIZE = (640, 360)
VP9_ENCODING = {"deadline": "realtime", "cpu-used": "8", "b": "1M", "g": "50"}
Measured = tuple[list[Figure], list[str]]
COMPARED = (
    ("decode stage", "decoding alone"),
    ("decode and content together", "decoding alone"),
    ("decode and content together", "PySceneDetect"),
)


def main() -> None:
    """Measure, and write a table in Markdown."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as folder:
        for figures, notes in _measured(Path(folder), arguments):
            table = markdown(figures, notes)
            print(f"{len(figures)} figures", file=sys.stderr)
            if arguments.output:
                arguments.output.write_text(f"{table}\n", encoding="utf-8")
    print(table)


def _measured(folder: Path, arguments: argparse.Namespace) -> Iterator[Measured]:
    """All figures so far, and notes to them, again and again."""
    reel = media.reel(folder)
    if arguments.device == "gpu":
        yield from measure_gpu(reel, folder, arguments.slots)
    else:
        yield _measure_cpu(reel, folder, arguments)


def _measure_cpu(reel: Reel, folder: Path, arguments: argparse.Namespace) -> Measured:
    settings = DecodeSettings(threads=arguments.threads)
    figures = measure(arguments.path or reel.path, settings, arguments.repeats)
    vp9 = media.encoded(reel, folder / "vp9.webm", "libvpx-vp9", VP9_SIZE, VP9_ENCODING)
    figures += measure_vp9(vp9.path, settings, arguments.repeats)
    width, height = VP9_SIZE
    return figures, [
        f"video: {arguments.path or reel.name}; VP9: half a minute of it at {width}x{height}",
        f"threads of PyAV: {settings.threads}; DALI on a CPU is there for tests",
    ]


def measure_vp9(path: Path, settings: DecodeSettings, repeats: int = REPEATS) -> list[Figure]:
    """Frames per second of the stage on a VP9 file, by PyAV and by DALI on the CPU, in turn."""
    ways = {
        "VP9 decode stage, PyAV": settings.model_copy(update={"decoder": "pyav"}),
        "VP9 decode stage, DALI on the CPU": settings.model_copy(
            update={"decoder": "dali", "device": "cpu"}
        ),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            rates[name].append(_rate(_stage, path, way))
    return [Figure(name, tuple(runs), "frames/s", 0) for name, runs in rates.items()]


def measure(path: Path, settings: DecodeSettings, repeats: int = REPEATS) -> list[Figure]:
    """Frames per second of each, interleaved so that other load meets all, and their ratios.

    PySceneDetect, with its own content detector, is among them where it is installed.
    """
    ways: dict[str, Callable[[Path, DecodeSettings], int]] = {
        "decoding alone": _decode_alone,
        "decode stage": _decode_stage,
        "decode and content together": _decode_and_content,
    }
    if find_spec("scenedetect"):
        ways["PySceneDetect"] = _scenedetect
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, decode in ways.items():
            rates[name].append(_rate(decode, path, settings))
    return [
        *(Figure(name, tuple(runs), "frames/s", 0) for name, runs in rates.items()),
        *(_ratio(rates, above, below) for above, below in COMPARED if below in rates),
    ]


def _ratio(rates: dict[str, list[float]], above: str, below: str) -> Figure:
    return Figure(f"{above} ÷ {below}", quotients(rates[above], rates[below]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, help="file for PyAV; default: the reel")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="on a CPU")
    parser.add_argument("--threads", type=int, default=DecodeSettings().threads, help="on a CPU")
    parser.add_argument(
        "--slots", type=int, nargs="+", default=SLOTS, help="processes on a GPU (%(default)s)"
    )
    parser.add_argument("--output", type=Path, help="write the table here as well")
    return parser.parse_args()


def _rate(
    decode: Callable[[Path, DecodeSettings], int], path: Path, settings: DecodeSettings
) -> float:
    start = time.perf_counter()
    frames = decode(path, settings)
    return frames / (time.perf_counter() - start)


def _decode_alone(path: Path, settings: DecodeSettings) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = settings.threads
        return sum(1 for _ in container.decode(stream))


def _decode_stage(path: Path, settings: DecodeSettings) -> int:
    return _stage(path, settings.model_copy(update={"decoder": "pyav"}))


def _stage(path: Path, settings: DecodeSettings) -> int:
    with open_video(path, settings) as video:
        return sum(len(batch) for batch in video.batches())


def _decode_and_content(path: Path, settings: DecodeSettings) -> int:
    detector, frames = ContentDetector(), 0
    pyav = settings.model_copy(update={"decoder": "pyav"})
    with open_video(path, pyav, SPARSE) as video:
        for batch in video.batches():
            detector.feed(batch.small)
            frames += len(batch)
    return frames


def _scenedetect(path: Path, _: DecodeSettings) -> int:
    peer = import_module("scenedetect")
    video = peer.open_video(str(path))
    manager = peer.SceneManager()
    manager.add_detector(peer.ContentDetector())
    return int(manager.detect_scenes(video))


if __name__ == "__main__":
    try:
        main()
    except UsageError as error:
        raise SystemExit(error.message) from error
