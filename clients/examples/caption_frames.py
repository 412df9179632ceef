"""Ask Triton's captioners about frames, without Kafka and worker.

Against `streamer up`:

    python clients/examples/caption_frames.py
    python clients/examples/caption_frames.py --triton localhost:8001 talk.mp4 --span 12 18.5
"""

from __future__ import annotations

import argparse

import numpy as np

from streamer_client import CaptionResult, Models


def main() -> None:
    """Print the best caption, and what each captioner said."""
    arguments = parsed()
    with Models(arguments.triton) as models:
        result = ask(models, arguments)
    print(f"{result.matching_score:.2f}  {result.caption}")
    for each in result.candidates:
        print(f"      {each.captioner}: {each.caption or each.error}")


def ask(models: Models, arguments: argparse.Namespace) -> CaptionResult:
    """Caption the file, or frames made up for the occasion."""
    if arguments.file is not None:
        span = tuple(arguments.span) if arguments.span else None
        return models.caption_file(arguments.file, span, text=arguments.text)
    # Any uint8 RGB frames (T, H, W, 3) will do: here a light square that wanders over a dark floor.
    frames = np.full((8, 192, 320, 3), (30, 40, 60), np.uint8)
    for number, frame in enumerate(frames):
        frame[70:130, 20 + 30 * number : 80 + 30 * number] = (240, 220, 200)
    return models.caption_frames(frames, arguments.text)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Caption frames of a file on Triton.")
    parser.add_argument("file", nargs="?", help="a local video; default: made-up frames")
    parser.add_argument("--triton", default="localhost:8001", help="Triton's gRPC, as host:port")
    parser.add_argument("--span", nargs=2, type=float, metavar=("START", "END"), help="seconds")
    parser.add_argument("--text", default="", help="title, description, subtitles")
    return parser.parse_args()


if __name__ == "__main__":
    main()
