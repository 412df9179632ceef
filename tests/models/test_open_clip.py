"""Towers embed as open_clip does, and an unusable checkpoint is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file

from streamer.errors import UsageError
from streamer.models.open_clip_model import CPU_BATCH, Dtype, ImageTower, TextTower
from streamer.models.open_clip_onnx import Kind, export
from streamer.models.open_clip_preprocess import ImagePreprocess
from streamer.models.open_clip_session import OnnxTower
from streamer.models.open_clip_tokenizer import Tokenizer

from .conftest import Photographs
from .tiny_clip import CONTEXT, EMBEDDING, SIDE, TEXTS, VOCABULARY, write_tiny_clip

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
    ),
]


@pytest.fixture(scope="module", params=[False, True], ids=["clip", "siglip-like"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clip(tmp_path_factory.mktemp("clip") / "tiny", custom_text=request.param)


@pytest.fixture(scope="module")
def original(checkpoint: Path) -> Any:
    """open_clip's own model, transform and tokenizer."""
    return open_clip.create_model_from_pretrained(f"local-dir:{checkpoint}")


@pytest.fixture(scope="module")
def image_embeddings(original: Any, photographs: Photographs) -> NDArray[np.float32]:
    """By open_clip alone, of all photographs."""
    model, transform = original
    images = [transform(Image.fromarray(image)) for image in photographs.values()]
    with torch.no_grad():
        return np.asarray(model.encode_image(torch.stack(images), normalize=True).numpy())


@pytest.fixture(scope="module")
def text_embeddings(original: Any, checkpoint: Path) -> NDArray[np.float32]:
    """By open_clip alone, of all texts."""
    tokens = open_clip.get_tokenizer(f"local-dir:{checkpoint}")(TEXTS)
    with torch.no_grad():
        return np.asarray(original[0].encode_text(tokens, normalize=True).numpy())


@pytest.fixture(scope="module")
def pixels(checkpoint: Path, photographs: Photographs) -> NDArray[np.uint8]:
    preprocess = ImagePreprocess(checkpoint)
    return np.stack([preprocess(image) for image in photographs.values()])


@pytest.mark.parametrize("device", DEVICES)
def test_images_are_embedded_as_by_open_clip(
    checkpoint: Path,
    device: str,
    pixels: NDArray[np.uint8],
    image_embeddings: NDArray[np.float32],
) -> None:
    tower = ImageTower(checkpoint, device)
    embeddings = tower(pixels)
    assert embeddings.shape == (len(pixels), EMBEDDING)
    assert embeddings.dtype == np.float32
    assert_same(embeddings, image_embeddings)
    assert_same(tower(pixels[2:3]), image_embeddings[2:3])
    assert_all_differ(embeddings)


@pytest.mark.parametrize("images", [1, CPU_BATCH, CPU_BATCH + 1, 3 * CPU_BATCH - 1])
def test_a_batch_of_any_size_keeps_its_order(
    checkpoint: Path,
    images: int,
    pixels: NDArray[np.uint8],
    image_embeddings: NDArray[np.float32],
) -> None:
    which = np.arange(images) % len(pixels)
    assert_same(ImageTower(checkpoint)(pixels[which]), image_embeddings[which])


@pytest.mark.parametrize("device", DEVICES)
def test_texts_are_embedded_as_by_open_clip(
    checkpoint: Path, device: str, text_embeddings: NDArray[np.float32]
) -> None:
    tokens = Tokenizer(checkpoint)(TEXTS)
    embeddings = TextTower(checkpoint, device)(tokens)
    assert embeddings.shape == (len(TEXTS), EMBEDDING)
    assert_same(embeddings, text_embeddings)
    assert_all_differ(np.delete(embeddings, 2, axis=0))  # of which two are empty


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_near(
    checkpoint: Path,
    device: str,
    dtype: Dtype,
    pixels: NDArray[np.uint8],
    image_embeddings: NDArray[np.float32],
    text_embeddings: NDArray[np.float32],
) -> None:
    images = ImageTower(checkpoint, device, dtype)(pixels)
    texts = TextTower(checkpoint, device, dtype)(Tokenizer(checkpoint)(TEXTS))
    for served, expected in ((images, image_embeddings), (texts, text_embeddings)):
        assert served.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(served, axis=1), 1, atol=1e-5)
        assert (served * expected).sum(axis=1).min() > 0.999
        assert np.abs(served - expected).max() > 1e-6  # it was not float32 after all


def test_an_exported_tower_embeds_as_open_clip(
    checkpoint: Path,
    tmp_path: Path,
    pixels: NDArray[np.uint8],
    image_embeddings: NDArray[np.float32],
    text_embeddings: NDArray[np.float32],
) -> None:
    batches: dict[Kind, tuple[NDArray[Any], NDArray[np.float32]]] = {
        "image": (pixels, image_embeddings),
        "text": (Tokenizer(checkpoint)(TEXTS), text_embeddings),
    }
    for kind, (batch, expected) in batches.items():
        export(kind, checkpoint, tmp_path / f"{kind}.onnx")
        tower = OnnxTower(tmp_path / f"{kind}.onnx")
        assert_same(tower(batch), expected)
        assert_same(tower(batch[3:4]), expected[3:4])
        assert tower(tower.example(1)).shape == (1, EMBEDDING)
    with pytest.raises(Exception, match="PIXELS"):
        OnnxTower(tmp_path / "image.onnx")(pixels[:, 1:])


def test_each_tower_holds_its_own_weights_alone(checkpoint: Path, original: Any) -> None:
    visual = sum(each.numel() for each in original[0].visual.parameters())
    rest = sum(each.numel() for each in original[0].parameters()) - visual
    assert count(ImageTower(checkpoint)) == visual
    assert count(TextTower(checkpoint)) == rest
    assert visual > 0 < rest


def count(tower: ImageTower | TextTower) -> int:
    return sum(each.numel() for each in tower._network.parameters())


@pytest.mark.parametrize("shape", [(1, SIDE, SIDE - 1, 3), (1, 3, SIDE, SIDE), (SIDE, SIDE, 3)])
def test_pixels_of_another_shape_are_refused(checkpoint: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"pixels are uint8 .*, not uint8"):
        ImageTower(checkpoint)(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("token", [-1, VOCABULARY])
def test_tokens_out_of_range_are_refused(checkpoint: Path, token: int) -> None:
    tower = TextTower(checkpoint)
    with pytest.raises(ValueError, match="from 0 to 49407"):
        tower(np.full((1, CONTEXT), token))
    with pytest.raises(ValueError, match="shape"):
        tower(np.zeros((1, CONTEXT + 1), np.int64))


def without_configuration(folder: Path) -> None:
    (folder / "open_clip_config.json").unlink()


def with_other_json(folder: Path) -> None:
    (folder / "open_clip_config.json").write_text('{"model_type": "clip"}')


def with_no_json(folder: Path) -> None:
    (folder / "open_clip_config.json").write_text("version https://git-lfs")


def without_weights(folder: Path) -> None:
    (folder / "open_clip_model.safetensors").unlink()


def with_a_pickle(folder: Path) -> None:
    weights = folder / "open_clip_model.safetensors"
    torch.save(load_file(weights), folder / "open_clip_pytorch_model.bin")
    weights.unlink()


def cut_short(folder: Path) -> None:
    weights = folder / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


def with_others_weights(folder: Path) -> None:
    save_file({"a": torch.zeros(3)}, folder / "open_clip_model.safetensors")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_configuration, r"cannot read .*open_clip_config.json .*give the folder"),
        (with_other_json, r"open_clip_config.json: model_cfg: Field required: fetch"),
        (with_no_json, r"open_clip_config.json: .*Invalid JSON.*: fetch"),
        (without_weights, r"no weights: .*safetensors"),
        (with_a_pickle, r"only the pickle open_clip_pytorch_model.bin: .*safetensors"),
        (cut_short, r"open_clip_model.safetensors is cut short.*: fetch it again"),
        (with_others_weights, r"open_clip cannot load .*Missing key.*fetch both again"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_unusable_checkpoint_is_named(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = write_tiny_clip(tmp_path / "clip")
    spoil(folder)
    for load in (ImageTower, TextTower):
        with pytest.raises(UsageError, match=message) as caught:
            load(folder)
        assert "\n" not in caught.value.message


def assert_same(embeddings: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embeddings, expected, atol=1e-4)


def assert_all_differ(embeddings: NDArray[np.float32]) -> None:
    """So that a mix-up would show."""
    distances = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2)
    assert (distances + np.eye(len(embeddings))).min() > 1e-2
