"""Speed of decoding alone, of the decode stage, and of it with the content detector, on one file.

Run ``python -m benchmarks.decode [PATH]`` in the project's root; it is part of ``make bench``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import av

from benchmarks.figures import Figure, quotients
from benchmarks.media import REAL_REEL
from benchmarks.report import print_table
from streamer.config import DecodeSettings
from streamer.decode import SPARSE, open_video
from streamer.shots import ContentDetector

REPEATS = 5
COMPARED = (
    ("decode stage", "decoding alone"),
    ("decode and content together", "decoding alone"),
    ("decode and content together", "PySceneDetect"),
)


def main() -> None:
    """Print frames per second of each, and their ratios."""
    arguments = _arguments()
    if not arguments.path.is_file():
        print(f"skipped: no file {arguments.path}")
        return
    settings = DecodeSettings(threads=arguments.threads)
    print_table(measure(arguments.path, settings, arguments.repeats), [])


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
    parser.add_argument("path", nargs="?", type=Path, default=REAL_REEL)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--threads", type=int, default=DecodeSettings().threads)
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
    with open_video(path, settings) as video:
        return sum(len(batch) for batch in video.batches())


def _decode_and_content(path: Path, settings: DecodeSettings) -> int:
    detector, frames = ContentDetector(), 0
    with open_video(path, settings, SPARSE) as video:
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
    main()
