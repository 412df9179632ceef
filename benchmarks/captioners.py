"""What a second captioner costs: a clip captioned by each of two alone, and by both at once.

Two processors may share a core, or their memory: how much two bare processes that caption slow each
other is measured in the same run, and is what the ensemble is held against.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.checkpoints import write_captioner, write_small_clip
from benchmarks.figures import Bar, Figure
from benchmarks.serving import HEIGHT, WIDTH, progress, serving
from streamer.models.captioner import Captioner
from streamer.models.checkpoint import CaptionerModel
from streamer.models.cores import model_threads
from streamer_client.triton import TritonModels

NAMES = ("first", "second")
CLIPS = 8
FRAMES = 8
TABLE = """
[captioners.{name}]
checkpoint = "local-dir:{name}"
sees = "picture"
max_new_tokens = 20
threads = {threads}
"""
TOGETHER = Bar(1.15)


def measure(folder: Path, runs: int) -> tuple[list[Figure], str]:
    """Seconds per clip of each ensemble, their ratio, and what was measured."""
    threads = max(1, model_threads() // len(NAMES))
    # On two cores two captioners leave no room for a CLIP of a real size beside them.
    write_small_clip(folder / "clip")
    tables = {}
    for seed, name in enumerate(NAMES):
        write_captioner(folder / name, seed)
        tables[name] = TABLE.format(name=name, threads=threads)
    with ExitStack() as servers:
        alone = {
            name: servers.enter_context(serving(folder, name, table))
            for name, table in tables.items()
        }
        both = servers.enter_context(serving(folder, "both", "".join(tables.values())))
        served = _compared(alone, both, runs)
    bare = _bare([folder / name for name in NAMES], threads, runs)
    figures = [*served, bare, _share(served[-1], bare)]
    return figures, (
        f"captioners: {len(NAMES)} BLIP of 6 layers with random weights, {threads} threads each, "
        f"20 tokens, ranked by a CLIP of one layer; clips of {FRAMES} frames of {WIDTH}x{HEIGHT}, "
        "one at a time"
    )


def _compared(alone: dict[str, TritonModels], both: TritonModels, runs: int) -> list[Figure]:
    taken: dict[str, list[float]] = {name: [] for name in (*NAMES, "both")}
    for run in range(runs + 1):
        progress.print(f"captioners: run {run} of {runs}")
        for name, models in (*alone.items(), ("both", both)):
            taken[name].append(_seconds_per_clip(models))
    first, second, together = (tuple(taken[name][1:]) for name in (*NAMES, "both"))
    slowest = [max(pair) for pair in zip(first, second, strict=True)]
    ratios = tuple(a / b for a, b in zip(together, slowest, strict=True))
    return [
        Figure("a captioner alone", tuple(slowest), "s/clip", 3),
        Figure("two captioners at once", together, "s/clip", 3),
        Figure("two captioners ÷ the slower alone", ratios, "", 2),
    ]


def _share(served: Figure, bare: Figure) -> Figure:
    ratios = tuple(ratio / bare.value for ratio in served.runs)
    return Figure("the former ÷ the latter", ratios, "", 2, TOGETHER)


def _bare(checkpoints: Sequence[Path], threads: int, runs: int) -> Figure:
    """The same captioners in two processes, without a server: both at once ÷ the slower alone."""
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as pools:
        workers = [
            pools.enter_context(
                ProcessPoolExecutor(1, spawn, initializer=_load, initargs=(checkpoint, threads))
            )
            for checkpoint in checkpoints
        ]
        ratios = [_slowdown(workers) for _ in range(runs + 1)]
    return Figure("two bare processes ÷ the slower alone", tuple(ratios[1:]), "", 2)


def _slowdown(workers: Sequence[ProcessPoolExecutor]) -> float:
    alone = max(worker.submit(_describe).result() for worker in workers)
    started = [worker.submit(_describe) for worker in workers]
    return max(each.result() for each in started) / alone


_loaded: list[Captioner] = []


def _load(checkpoint: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    options = CaptionerModel(
        checkpoint=f"local-dir:{checkpoint}", sees="picture", max_new_tokens=20
    )
    _loaded.append(Captioner(checkpoint, options))


def _describe() -> float:
    """Seconds for all clips, one after the other."""
    start = time.perf_counter()
    for clip in _clips():
        _loaded[0].describe([clip], [""])
    return time.perf_counter() - start


def _clips() -> NDArray[np.uint8]:
    random = np.random.default_rng(1)
    return random.integers(0, 256, (CLIPS, FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)


def _seconds_per_clip(models: TritonModels) -> float:
    clips = _clips()
    start = time.perf_counter()
    for clip in clips:
        models.caption(clip).result()
    return (time.perf_counter() - start) / CLIPS
