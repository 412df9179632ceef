"""How fast models answer through Triton, beside the same models called in process.

Run ``make bench-models``, or ``python -m benchmarks.models`` in the project's root. The weights are
random, of the architecture that ``--clip`` names, so nothing is downloaded.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.checkpoints import write_clip
from benchmarks.figures import Bar, Figure, quotients
from benchmarks.processes import OthersShare
from benchmarks.report import report
from streamer.embedded.triton import EmbeddedTriton
from streamer.models.build import build_repository
from streamer.models.cores import model_threads
from streamer.models.open_clip_model import ImageTower
from streamer.models.open_clip_preprocess import ImagePreprocess
from streamer.models.profile import load_profile
from streamer_client.triton import TritonModels

Images = NDArray[np.uint8]
Embed = Callable[[Images], "Future[NDArray[np.float32]]"]

RUNS = 5
BATCHES = (8, 16, 32)
IMAGES = 128
HEIGHT, WIDTH = 360, 640
# Requests under way at once, as of a worker that decodes meanwhile.
IN_FLIGHT = 4
PARITY = Bar(0.9, at_least=True)
PROFILE = """
summary = "Random weights."
[models.caption]
packages = ["streamer"]
[models.captioner_motion]
packages = ["streamer"]
[image_text]
checkpoint = "local-dir:clip"
[clip]
stitch_distance = 0.6
event_distance = 0.75
transition_distance = 1.0
still_distance = 0.15
repeat_distance = 0.3
[caption]
ranking = "clip"
"""

progress = Console(stderr=True, highlight=False)


def main() -> int:
    """Measure, print, and return 1 if a bar is missed."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as folder:
        figures, notes = _measure(Path(folder), arguments.clip, arguments.runs)
    return report(figures, notes, as_markdown=arguments.markdown)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="write Markdown")
    parser.add_argument("--runs", type=int, default=RUNS, help="repetitions (%(default)s)")
    parser.add_argument("--clip", default="ViT-B-32", help="open_clip's name (%(default)s)")
    return parser.parse_args()


def _measure(folder: Path, architecture: str, runs: int) -> tuple[list[Figure], list[str]]:
    progress.print(f"writing {architecture} and its repository")
    checkpoint = write_clip(folder / "clip", architecture)
    (folder / "random.toml").write_text(PROFILE)
    repository = build_repository(load_profile(folder / "random.toml"), folder / "models")
    in_process = _InProcess(checkpoint)
    others = OthersShare()
    figures = []
    with EmbeddedTriton(repository, log_dir=folder / "logs") as server:
        models = TritonModels(server.url)
        for batch in BATCHES:
            figures += _compared(batch, in_process, models, runs)
        models.close()
    notes = [
        f"{architecture} with random weights, float32, on {in_process.device}; pictures of "
        f"{WIDTH}x{HEIGHT} to embeddings, {IN_FLIGHT} requests under way",
        f"other work on this machine: {others.so_far():.0%} of its processors",
    ]
    return figures, notes


class _InProcess:
    """The same preprocessing and tower, without a server."""

    def __init__(self, checkpoint: Path):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.set_num_threads(model_threads())
        self._preprocess = ImagePreprocess(checkpoint)
        self._tower = ImageTower(checkpoint, self.device)

    def embed(self, images: Images) -> Future[NDArray[np.float32]]:
        """Embed at once."""
        done: Future[NDArray[np.float32]] = Future()
        done.set_result(self._tower(np.stack([self._preprocess(image) for image in images])))
        return done


def _compared(batch: int, in_process: _InProcess, models: TritonModels, runs: int) -> list[Figure]:
    random = np.random.default_rng(batch)
    images = random.integers(0, 256, (IMAGES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    batches = np.split(images, IMAGES // batch)
    direct, served = [], []
    for run in range(runs + 1):
        progress.print(f"batches of {batch}: run {run} of {runs}")
        direct.append(_images_per_second(batches, in_process.embed))
        served.append(_images_per_second(batches, models.embed_images))
    direct, served = direct[1:], served[1:]  # The first warms up.
    name = f"clip, batches of {batch}"
    return [
        Figure(f"{name}, in process", tuple(direct), "images/s", 1),
        Figure(f"{name}, through Triton", tuple(served), "images/s", 1),
        Figure(f"{name}, Triton ÷ in process", quotients(served, direct), "", 2, PARITY),
    ]


def _images_per_second(batches: Sequence[Images], embed: Embed) -> float:
    start = time.perf_counter()
    under_way: deque[Future[Any]] = deque()
    for batch in batches:
        if len(under_way) == IN_FLIGHT:
            under_way.popleft().result()
        under_way.append(embed(batch))
    for answer in under_way:
        answer.result()
    return sum(map(len, batches)) / (time.perf_counter() - start)


if __name__ == "__main__":
    raise SystemExit(main())
