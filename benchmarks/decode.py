"""Speed of the decode stage beside that of decoding alone, on the same file in the same run.

Run ``python -m benchmarks.decode [PATH]`` in the project's root; it is part of ``make bench``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import av

from benchmarks.figures import Figure, quotients
from benchmarks.media import REAL_REEL
from benchmarks.report import print_table
from streamer.config import DecodeSettings
from streamer.decode import open_video

REPEATS = 5


def main() -> None:
    """Print frames per second of both, and their ratio."""
    arguments = _arguments()
    if not arguments.path.is_file():
        print(f"skipped: no file {arguments.path}")
        return
    settings = DecodeSettings(threads=arguments.threads)
    print_table(measure(arguments.path, settings, arguments.repeats), [])


def measure(path: Path, settings: DecodeSettings, repeats: int = REPEATS) -> list[Figure]:
    """Frames per second of both, interleaved so that other load meets both, and their ratio."""
    alone, stage = [], []
    for _ in range(repeats):
        alone.append(_rate(_decode_alone, path, settings))
        stage.append(_rate(_decode_stage, path, settings))
    return [
        Figure("decoding alone", tuple(alone), "frames/s", 0),
        Figure("decode stage", tuple(stage), "frames/s", 0),
        Figure("decode stage ÷ decoding alone", quotients(stage, alone)),
    ]


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


if __name__ == "__main__":
    main()
