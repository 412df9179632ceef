"""Towers of an open_clip checkpoint from PyTorch to ONNX, verified."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from streamer.models.export import ExportMismatch
from streamer.models.open_clip_config import load_config
from streamer.models.open_clip_model import image_network, text_network
from streamer.models.open_clip_session import OnnxTower

# Float32 in another order of summation; measured at most 1e-6 on values up to 1.
TOLERANCE = 1e-4
LARGEST_BATCH = 256

Kind = Literal["image", "text"]


def export(kind: Kind, checkpoint: Path, path: Path) -> None:
    """Write a tower to ``path``, for ``OnnxTower``, and compare the two.

    The tower is in float32, whatever the checkpoint is in. A network of more than 2 GB puts its
    weights beside ``path``.

    Raises:
        UsageError: if the checkpoint is incomplete, corrupt, pickled, or unknown to open_clip.
        ExportMismatch: if the written tower embeds otherwise than the original.
    """
    network = image_network(checkpoint) if kind == "image" else text_network(checkpoint)
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    with _quietly():
        program = torch.onnx.export(
            network,
            (torch.from_numpy(_examples(kind, checkpoint, 2)),),
            dynamo=True,
            dynamic_shapes=({0: batch},),
            input_names=["PIXELS" if kind == "image" else "TOKENS"],
            output_names=["EMBEDDING"],
            verbose=False,
        )
    if program is None:
        raise ExportMismatch("the ONNX exporter returned no program")
    program.save(path)
    _verify(network, path, [_examples(kind, checkpoint, size) for size in (1, 3)])


def _verify(network: nn.Module, path: Path, batches: list[NDArray[Any]]) -> None:
    exported = OnnxTower(path)
    for batch in batches:
        with torch.inference_mode():
            expected = network(torch.from_numpy(batch)).numpy()
        worst = float(np.abs(expected - exported(batch)).max())
        if not worst <= TOLERANCE:
            raise ExportMismatch(f"{path} differs from its PyTorch original by {worst:.2g}")


def _examples(kind: Kind, checkpoint: Path, size: int) -> NDArray[Any]:
    """Noise, and tokens that every vocabulary has."""
    config, random = load_config(checkpoint), np.random.default_rng(size)
    if kind == "image":
        return random.integers(0, 256, (size, *config.image_size, 3), dtype=np.uint8)
    return random.integers(0, 1000, (size, config.context_length), dtype=np.int64)


@contextmanager
def _quietly() -> Iterator[None]:
    """Hold back remarks on packages that are not needed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)
