"""Speed of the decode stage beside that of decoding alone, on the same file in the same run.

Run ``python benchmarks/decode.py [PATH]`` in the project's root.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import av

from streamer.config import DecodeSettings
from streamer.decode import open_video

DEFAULT = Path(__file__).parents[2] / "shared" / "media" / "reel-dev.mp4"


def main() -> None:
    """Print frames per second of both, and the median of their ratio."""
    arguments = _arguments()
    if not arguments.path.is_file():
        print(f"skipped: no file {arguments.path}")
        return
    settings = DecodeSettings(threads=arguments.threads)
    pure, ours = [], []
    for _ in range(arguments.repeats):  # interleaved, so that other load meets both
        pure.append(_rate(_decode_alone, arguments.path, settings))
        ours.append(_rate(_decode_stage, arguments.path, settings))
    ratios = [stage / alone for alone, stage in zip(pure, ours, strict=True)]
    print(f"decoding alone {statistics.median(pure):8.0f} frames/s")
    print(f"decode stage   {statistics.median(ours):8.0f} frames/s")
    print(
        f"ratio          {statistics.median(ratios):8.2f}  ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--repeats", type=int, default=5)
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
