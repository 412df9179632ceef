"""Pixels and tokens are those that open_clip makes for the checkpoint."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from streamer.errors import UsageError
from streamer.models import open_clip_tokenizer
from streamer.models.open_clip_config import load_config
from streamer.models.open_clip_model import ImageTower
from streamer.models.open_clip_preprocess import ImagePreprocess
from streamer.models.open_clip_tokenizer import Tokenizer

from .conftest import Photographs
from .tiny_clip import CONTEXT, EMBEDDING, SIDE, TEXTS, write_tiny_clip

SIZES = [(48, 64), (64, 64), (1, 1), (3, 500), (500, 3), (97, 131), (360, 640), (721, 405)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clip(tmp_path_factory.mktemp("clip") / "tiny")


@pytest.mark.parametrize("resize_mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("image_size", [SIDE, (48, 80)])
def test_pixels_are_those_of_open_clips_transform(
    tmp_path: Path,
    photographs: Photographs,
    resize_mode: str,
    interpolation: str,
    image_size: int | tuple[int, int],
) -> None:
    folder = write_tiny_clip(
        tmp_path / "clip",
        image_size=image_size,
        resize_mode=resize_mode,
        interpolation=interpolation,
        mean=(0.5, 0.4, 0.3),
        std=None,
        fill_color=9,
    )
    tower, preprocess = ImageTower(folder), ImagePreprocess(folder)
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    for image in [*photographs.values(), *map(noise, SIZES)]:
        if resize_mode == "longest" and 3 in image.shape[:2]:
            continue  # open_clip fails on these too
        with torch.no_grad():
            expected = model.encode_image(transform(Image.fromarray(image))[None], normalize=True)
        pixels = preprocess(image)
        served = tower(pixels[None])
        assert float((served @ expected.numpy().T).item()) > 1 - 1e-4
        # Of a part, Pillow may resize the columns first, and cuts off what overshoots in between.
        assert np.abs(pixels - pixels_of(transform, image)).mean() < 0.6


def noise(size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.random.default_rng(size).integers(0, 256, (*size, 3), dtype=np.uint8)


def pixels_of(transform: Any, image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """What the transform makes, before its last two steps."""
    picture = Image.fromarray(image)
    for step in transform.transforms[:-2]:
        picture = step(picture)
    return np.asarray(picture, dtype=np.int64)


def test_only_what_is_kept_of_a_long_picture_is_resized(checkpoint: Path) -> None:
    """All of it would be 64x25600000 pixels: 5 GB."""
    line = np.zeros((1, 400_000, 3), np.uint8)
    line[:, 200_000:] = 255
    square = ImagePreprocess(checkpoint)(line)
    assert square.shape == (SIDE, SIDE, 3)
    assert square[:, : SIDE // 4].max() < 128 < square[:, -SIDE // 4 :].min()


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (5, 5), (5, 5, 4)])
def test_what_is_no_picture_is_refused(checkpoint: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="an image is uint8"):
        ImagePreprocess(checkpoint)(np.zeros(shape, np.uint8))


def test_too_narrow_a_picture_is_refused(tmp_path: Path) -> None:
    preprocess = ImagePreprocess(write_tiny_clip(tmp_path / "clip", resize_mode="longest"))
    with pytest.raises(ValueError, match="1000x1 is too narrow"):
        preprocess(np.zeros((1, 1000, 3), np.uint8))


def letters(alphabet: str, length: int) -> str:
    return "".join(random.Random(length).choices(alphabet, k=length))


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        "<end_of_text> first <|end_of_text|> <END_OF_TEXT>",
        "the quick brown fox's " * 5000,
        " " * 50_000 + "late",
        letters("abcdefghijklmnopqrstuvwxyz", 4000),
        letters("\N{FIRE}\N{DOG FACE}\N{FACE WITH TEARS OF JOY}", 4000),
        letters("".join(map(chr, range(0x4E00, 0x4F00))), 3000),
        "\N{FACE WITH TEARS OF JOY}" * 25_000,
        "a" * 100_000,
        b"\xff\xc3".decode(errors="replace") * 30_000,
    ],
    ids=lambda text: text[:12].strip() or "blank",
)
def test_tokens_are_those_of_open_clip(checkpoint: Path, text: str) -> None:
    expected = open_clip.get_tokenizer(f"local-dir:{checkpoint}")([text]).numpy()
    tokens = Tokenizer(checkpoint)([text, "other"])
    assert tokens.shape == (2, CONTEXT)
    np.testing.assert_array_equal(tokens[:1], expected)


def test_remembered_words_are_bounded(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_clip_tokenizer, "REMEMBERED", 20)
    tokenizer = Tokenizer(checkpoint)
    expected = open_clip.get_tokenizer(f"local-dir:{checkpoint}")
    texts = [f"{letters('abcdefgh', n)} <end_of_text> {letters('stuv', n)}" for n in range(1, 60)]
    np.testing.assert_array_equal(
        np.concatenate([tokenizer([text]) for text in texts]), expected(texts).numpy()
    )
    assert len(tokenizer._tokenize.cache) <= 23


def test_the_configuration_is_the_networks(tmp_path: Path) -> None:
    config = load_config(
        write_tiny_clip(tmp_path / "clip", image_size=(48, 80), size=99, mode=None)
    )
    assert config.image_size == (48, 80)
    assert config.embedding_size == EMBEDDING
    assert config.context_length == CONTEXT
    assert config.preprocess_cfg.mean == open_clip.OPENAI_DATASET_MEAN
    assert config.preprocess_cfg.std == open_clip.OPENAI_DATASET_STD


def test_a_tokenizer_without_its_files_is_named(tmp_path: Path) -> None:
    folder = write_tiny_clip(tmp_path / "clip")
    file = folder / "open_clip_config.json"
    file.write_text(
        file.read_text().replace('"text_cfg": {', '"text_cfg": {"hf_tokenizer_name": "x/y", ')
    )
    with pytest.raises(UsageError, match=r"no usable tokenizer .*put its files beside"):
        Tokenizer(folder)
