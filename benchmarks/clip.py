"""How fast `clip` embeds through Triton, beside the same model called in process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.checkpoints import write_clip
from benchmarks.figures import Bar, Figure, quotients
from benchmarks.serving import HEIGHT, WIDTH, progress, serving
from streamer.models.cores import model_threads
from streamer.models.open_clip_model import ImageTower
from streamer.models.open_clip_preprocess import ImagePreprocess
from streamer_client.triton import TritonModels

Images = NDArray[np.uint8]
Embed = Callable[[Images], "Future[NDArray[np.float32]]"]

BATCHES = (8, 16, 32)
# Eight requests of the largest batch: with four, all of them under way at once, what is measured is
# the filling of the queue and its emptying.
IMAGES = 256
# Requests under way at once, as of a worker that decodes meanwhile.
IN_FLIGHT = 4
PARITY = Bar(0.9, at_least=True)


def measure(folder: Path, architecture: str, runs: int) -> tuple[list[Figure], str]:
    """Images a second of the architecture with random weights, and what was measured."""
    progress.print(f"writing {architecture} and its repository")
    checkpoint = write_clip(folder / "clip", architecture)
    in_process = _InProcess(checkpoint)
    figures = []
    with serving(folder) as models:
        for batch in BATCHES:
            figures += _compared(batch, in_process, models, runs)
    return figures, (
        f"{architecture} with random weights, float32, on {in_process.device}; pictures of "
        f"{WIDTH}x{HEIGHT} to embeddings, {IN_FLIGHT} requests under way"
    )


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
