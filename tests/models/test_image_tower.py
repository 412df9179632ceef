"""The exported image tower computes what its PyTorch original computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from streamer.models.export import MEAN, ExportMismatch, torch_tower, verify
from streamer.models.image_tower import ImageTower, central_square

from .conftest import Photographs


def views(photographs: Photographs) -> NDArray[np.uint8]:
    return np.stack([central_square(photograph) for photograph in photographs.values()])


def test_features_and_logits_equal_the_originals(
    tower: ImageTower, photographs: Photographs
) -> None:
    pixels = views(photographs)
    with torch.inference_mode():
        features, logits = torch_tower()(torch.from_numpy(pixels))
    exported = tower.features_and_logits(pixels)
    np.testing.assert_allclose(exported[0], features.numpy(), atol=1e-3)
    np.testing.assert_allclose(exported[1], logits.numpy(), atol=1e-3)


def test_an_export_that_differs_is_refused(repository: Path, tmp_path: Path) -> None:
    model = onnx.load(repository / "clip_image" / "1" / "model.onnx")
    constants = [
        tensor
        for tensor in model.graph.initializer
        if onnx.numpy_helper.to_array(tensor).size == 1
        and onnx.numpy_helper.to_array(tensor).item() == MEAN
    ]
    assert constants
    constants[0].CopyFrom(
        onnx.numpy_helper.from_array(np.array(MEAN + 20, np.float32), constants[0].name)
    )
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ExportMismatch, match="differs"):
        verify(torch_tower(), tmp_path / "other.onnx")


def test_embeddings_have_unit_length_in_any_batch(
    tower: ImageTower, photographs: Photographs
) -> None:
    pixels = np.concatenate([views(photographs)] * 5)  # more than one batch of the session
    together = tower.embed(pixels)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([tower.embed(pixels[i : i + 1]) for i in range(len(pixels))])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_copy_is_near_and_another_scene_is_far(
    tower: ImageTower, photographs: Photographs
) -> None:
    cat, rocket = photographs["cat"], photographs["rocket"]
    embeddings = tower.embed(
        np.stack([central_square(each) for each in (cat, cat[::2, ::2], rocket)])
    )
    assert np.linalg.norm(embeddings[0] - embeddings[1]) < 0.5
    assert np.linalg.norm(embeddings[0] - embeddings[2]) > 1.0


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (224, 224), (90, 51), (1080, 1920)])
def test_any_size_becomes_the_central_square(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    image[size[0] // 2, size[1] // 2] = 255
    square = central_square(image)
    assert square.shape == (224, 224, 3)
    assert square.dtype == np.uint8


def test_the_crop_is_central_and_in_proportion() -> None:
    image = np.zeros((256, 512, 3), np.uint8)
    image[16:240, 144:368] = (10, 20, 30)
    np.testing.assert_array_equal(
        central_square(image), np.broadcast_to(np.array([10, 20, 30], np.uint8), (224, 224, 3))
    )


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 5), (5, 5, 4)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="an image is"):
        central_square(np.zeros(shape, np.uint8))
