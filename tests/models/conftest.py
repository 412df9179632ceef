"""The image tower of the offline profile, and photographs with known content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from streamer.models.image_tower import ImageTower

Photographs = dict[str, NDArray[np.uint8]]


@pytest.fixture(scope="session")
def photographs() -> Photographs:
    """uint8 RGB photographs of several sizes, from the wheel of scikit-image."""
    names = {
        "astronaut": "astronaut",
        "cat": "chelsea",
        "coffee": "coffee",
        "rocket": "rocket",
        "photographer": "camera",
        "bricks": "brick",
        "gravel": "gravel",
    }
    return {name: _rgb(getattr(data, photograph)()) for name, photograph in names.items()}


def _rgb(photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return photograph if photograph.ndim == 3 else np.stack([photograph] * 3, axis=-1)


@pytest.fixture(scope="session")
def tower(repository: Path) -> ImageTower:
    return ImageTower(repository / "clip_image" / "1" / "model.onnx")
