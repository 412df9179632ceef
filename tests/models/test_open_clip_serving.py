"""The real Triton serves an open_clip checkpoint as open_clip runs it, in both runtimes."""

from __future__ import annotations

import queue
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import open_clip
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from tritonclient import grpc as triton

from streamer.embedded.triton import EmbeddedTriton
from streamer.errors import Unavailable
from streamer.models.build import find_model_repository
from streamer.models.open_clip_onnx import Kind, export
from streamer_client.triton import TritonModels
from tests.servers import triton_serving

from .conftest import Photographs
from .tiny_clip import CONTEXT, EMBEDDING, SIDE, write_tiny_clip

pytestmark = pytest.mark.services

BATCH = 16
STEPS: dict[str, str] = {
    "clip_preprocess": "open_clip_preprocess",
    "clip_image": "open_clip_image",
    "clip_tokenizer": "open_clip_tokenizer",
    "clip_text_tower": "open_clip_text",
}
TOWERS: dict[str, Kind] = {"clip_image": "image", "clip_text_tower": "text"}
TEXTS = [
    b"a dog runs over a meadow",
    b"",
    "\N{DOG FACE}\N{FIRE} na\u00efve caf\u00e9".encode(),
    b"the quick brown fox " * 5000,
    "\N{FIRE}".encode() * 25_000,
    b"not \xff\xfe UTF-8 \xc3",
    b"null \0 inside",
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clip(tmp_path_factory.mktemp("clip") / "tiny")


@pytest.fixture(scope="module", params=["torch", "onnx"])
def url(
    request: pytest.FixtureRequest, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    served = write_repository(tmp_path_factory.mktemp("served"), checkpoint, request.param)
    if request.param == "onnx":
        for name, kind in TOWERS.items():
            export(kind, checkpoint, served / name / "1" / "model.onnx")
    with triton_serving(served, tmp_path_factory.mktemp("logs")) as server:
        yield server.url


def write_repository(folder: Path, checkpoint: Path, runtime: str, dtype: str = "float32") -> Path:
    """The four models of a checkpoint and their two ensembles."""
    for name in (*STEPS, "clip", "clip_text"):
        shutil.copytree(find_model_repository() / STEPS.get(name, name), folder / name)
        (folder / name / "1").mkdir(exist_ok=True)
        lines = [f"max_batch_size: {BATCH}"]
        if name in STEPS:
            shutil.copytree(checkpoint, folder / name / "1" / "checkpoint")
            lines += ["instance_group { kind: KIND_AUTO count: 1 }"]
            lines += [setting("dtype", dtype), setting("runtime", runtime)]
        with (folder / name / "config.pbtxt").open("a") as config:
            config.writelines(f"{line}\n" for line in lines)
    return folder


def setting(key: str, value: str) -> str:
    return f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}'


@pytest.fixture(scope="module")
def original(checkpoint: Path) -> Any:
    """open_clip's own model and transform."""
    return open_clip.create_model_from_pretrained(f"local-dir:{checkpoint}")


@pytest.fixture(scope="module")
def images(photographs: Photographs) -> list[NDArray[np.uint8]]:
    """Each photograph, in three sizes and shapes."""
    sizes = [(640, 360), (50, 40), (97, 301)]
    return [
        cv2.resize(photograph, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        for photograph in photographs.values()
        for size in sizes
    ]


def test_many_interleaved_images_of_many_sizes(
    url: str, original: Any, images: list[NDArray[np.uint8]]
) -> None:
    model, transform = original
    with torch.no_grad():
        stacked = torch.stack([transform(Image.fromarray(image)) for image in images])
        expected = model.encode_image(stacked, normalize=True).numpy()
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(len(images)), 6))
    with TritonModels(url) as models:
        answers = [(i, models.embed_images(np.stack([images[i], images[i][::-1]]))) for i in order]
        for i, answer in answers:
            embeddings = answer.result(timeout=120)
            assert embeddings.shape == (2, EMBEDDING)
            np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
            assert float(embeddings[0] @ expected[i]) > 1 - 1e-4
            assert np.linalg.norm(expected - embeddings[0], axis=1).argmin() == i


def test_the_tower_equals_open_clips(
    url: str, original: Any, images: list[NDArray[np.uint8]]
) -> None:
    pixels = np.stack([cv2.resize(image, (SIDE, SIDE)) for image in images[:BATCH]])
    model, transform = original
    with torch.no_grad():
        inputs = torch.stack([transform(Image.fromarray(each)) for each in pixels])
        expected = model.encode_image(inputs, normalize=True).numpy()
    served = infer(url, "clip_image", "PIXELS", "UINT8", pixels).as_numpy("EMBEDDING")
    np.testing.assert_allclose(served, expected, atol=1e-4)


def test_texts_of_every_kind(url: str, original: Any, checkpoint: Path) -> None:
    texts = [text.decode(errors="replace") for text in TEXTS]
    tokens = open_clip.get_tokenizer(f"local-dir:{checkpoint}")(texts)
    with torch.no_grad():
        expected = original[0].encode_text(tokens, normalize=True).numpy()
    served = infer(url, "clip_tokenizer", "TEXT", "BYTES", strings(TEXTS)).as_numpy("TOKENS")
    np.testing.assert_array_equal(served, tokens.numpy())
    together = infer(url, "clip_text", "TEXT", "BYTES", strings(TEXTS)).as_numpy("EMBEDDING")
    np.testing.assert_allclose(together, expected, atol=1e-4)
    for i, text in enumerate(TEXTS):
        alone = infer(url, "clip_text", "TEXT", "BYTES", strings([text])).as_numpy("EMBEDDING")
        np.testing.assert_allclose(alone, expected[i : i + 1], atol=1e-4)


def test_what_is_wrong_is_refused_and_harms_nothing(
    url: str, images: list[NDArray[np.uint8]]
) -> None:
    wrong = [
        ("clip", "IMAGE", "UINT8", np.zeros((1, 0, 5, 3), np.uint8)),
        ("clip_image", "PIXELS", "UINT8", np.zeros((1, SIDE, SIDE - 1, 3), np.uint8)),
        ("clip_text_tower", "TOKENS", "INT64", np.full((1, CONTEXT), 1 << 40)),
        ("clip_text_tower", "TOKENS", "INT64", np.zeros((1, CONTEXT + 1), np.int64)),
    ]
    for model, name, datatype, values in wrong:
        with pytest.raises(triton.InferenceServerException):
            infer(url, model, name, datatype, values)
        good = infer(url, "clip", "IMAGE", "UINT8", images[0][None]).as_numpy("EMBEDDING")
        assert good.shape == (1, EMBEDDING)
    assert infer(url, "clip_text", "TEXT", "BYTES", strings([b"good"])).as_numpy("EMBEDDING").any()


def test_settings_that_contradict_are_named(tmp_path: Path, checkpoint: Path) -> None:
    served = write_repository(tmp_path / "served", checkpoint, "onnx", "bfloat16")
    keep_only(served, "clip_image")
    server = EmbeddedTriton(served, log_dir=tmp_path)
    with pytest.raises(Unavailable, match="serves float32, not bfloat16: change dtype"):
        server.start()


def test_an_overload_is_refused_at_once(tmp_path: Path, checkpoint: Path) -> None:
    served = write_repository(tmp_path / "served", checkpoint, "torch")
    keep_only(served, "clip_preprocess")
    config = served / "clip_preprocess" / "config.pbtxt"
    limited = re.sub(r"max_queue_size: \d+", "max_queue_size: 2", config.read_text())
    assert limited != config.read_text()
    config.write_text(limited)
    tensor = triton.InferInput("IMAGE", [1, 1080, 1920, 3], "UINT8")
    tensor.set_data_from_numpy(np.zeros((1, 1080, 1920, 3), np.uint8))
    results: queue.Queue[Any] = queue.Queue()
    with (
        EmbeddedTriton(served, log_dir=tmp_path) as server,
        triton.InferenceServerClient(server.url) as client,
    ):
        for _ in range(100):
            client.async_infer(
                "clip_preprocess", [tensor], lambda result, error: results.put(error or result)
            )
        answers = [results.get(timeout=60) for _ in range(100)]
    refused = [each for each in answers if isinstance(each, triton.InferenceServerException)]
    assert 0 < len(refused) < 100
    assert {each.status() for each in refused} == {"StatusCode.UNAVAILABLE"}


def keep_only(served: Path, model: str) -> None:
    for folder in served.iterdir():
        if folder.name != model:
            shutil.rmtree(folder)


def strings(texts: list[bytes]) -> NDArray[np.object_]:
    return np.array([[text] for text in texts], dtype=np.object_)


def infer(
    url: str, model: str, name: str, datatype: str, values: NDArray[Any]
) -> triton.InferResult:
    with triton.InferenceServerClient(url) as client:
        tensor = triton.InferInput(name, list(values.shape), datatype)
        tensor.set_data_from_numpy(np.ascontiguousarray(values))
        return client.infer(model, [tensor], client_timeout=120)
