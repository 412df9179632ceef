"""`Models` and `AsyncModels` on the real Triton; each question is asked through both."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.config import TritonSettings
from streamer.embedded.ports import free_ports
from streamer.embedded.triton import EmbeddedTriton
from streamer.errors import UsageError
from streamer.triton_clients import triton_models
from streamer_client import (
    AsyncModels,
    BadInput,
    ModelNotServed,
    Models,
    ModelTimeout,
    ModelUnavailable,
    Tls,
)
from streamer_client.requests import BatchLimit, Infer, Request
from streamer_client.triton import TritonModels, caption_inputs
from tests.client.relaying import Road, own_certificate, server_tls

pytestmark = pytest.mark.services

SECONDS = 180.0

Ask = Callable[..., Any]
Pixels = NDArray[np.uint8]


def ask_models(url: str, method: str, *arguments: Any, seconds: float = SECONDS) -> Any:
    with Models(url, timeout_seconds=seconds) as models:
        return getattr(models, method)(*arguments)


def ask_async_models(url: str, method: str, *arguments: Any, seconds: float = SECONDS) -> Any:
    async def answer() -> Any:
        async with AsyncModels(url, timeout_seconds=seconds) as models:
            return await getattr(models, method)(*arguments)

    return asyncio.run(answer())


@pytest.fixture(params=[ask_models, ask_async_models], ids=["blocking", "asyncio"])
def ask(request: pytest.FixtureRequest) -> Ask:
    asked: Ask = request.param
    return asked


def pictures(*sizes: tuple[int, int]) -> list[Pixels]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


@pytest.fixture(scope="module")
def frames() -> Pixels:
    return np.stack(pictures(*[(90, 160)] * 4))


def test_pictures_of_any_sizes(ask: Ask, triton: EmbeddedTriton, models: TritonModels) -> None:
    images = pictures((40, 60), (64, 64), (40, 60), (300, 200), (64, 64))
    embedded = ask(triton.url, "embed_images", images)
    alone = [models.embed_images(image[None]).result(SECONDS)[0] for image in images]
    np.testing.assert_allclose(embedded, np.stack(alone), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-4)


def test_more_pictures_than_a_batch_holds(triton: EmbeddedTriton) -> None:
    images = pictures(*[(8, 8)] * 70)  # A batch of this model holds 64.
    with Models(triton.url, timeout_seconds=SECONDS) as models:
        embedded = models.embed_images(images)
        last = models.embed_images(images[-1:])
    assert embedded.shape[0] == 70
    np.testing.assert_allclose(embedded[-1:], last, atol=1e-4)


def test_no_pictures(ask: Ask, triton: EmbeddedTriton) -> None:
    assert ask(triton.url, "embed_images", []).shape == (0, 0)


def test_a_clip(ask: Ask, triton: EmbeddedTriton, models: TritonModels, frames: Pixels) -> None:
    result = ask(triton.url, "caption_frames", list(frames), "a title")
    assert result == models.caption(frames, "a title").result(SECONDS)
    assert result.caption
    assert {each.captioner for each in result.candidates} == {
        "captioner_tags",
        "captioner_motion",
    }


def test_a_file(ask: Ask, triton: EmbeddedTriton, short: Path) -> None:
    result = ask(triton.url, "caption_file", short, (0.0, 3.0))
    assert "spresso" in result.caption  # The first three seconds show a cup of it.


def test_a_model_that_is_not_served(ask: Ask, triton: EmbeddedTriton) -> None:
    with pytest.raises(ModelNotServed, match="model 'clip_text': NOT_FOUND"):
        ask(triton.url, "embed_text", ["a cat"])


@pytest.mark.parametrize(
    ("method", "argument", "says"),
    [
        ("embed_images", [np.zeros((4, 4, 3))], "image 0: float64"),
        ("embed_images", [np.zeros((4, 4), np.uint8)], r"image 0: uint8 \(4, 4\)"),
        ("embed_images", [np.zeros((0, 4, 3), np.uint8)], "holds no pixels"),
        ("caption_frames", np.zeros((4, 4, 3), np.uint8), "frames: uint8"),
    ],
)
def test_arrays_of_another_kind(method: str, argument: Any, says: str) -> None:
    with Models("localhost:1") as models, pytest.raises(ValueError, match=says):
        getattr(models, method)(argument)


def test_tensors_that_do_not_fit(triton: EmbeddedTriton) -> None:
    class Wrong(Models):
        def ask(self, request: Request) -> Any:
            return self._ask(request)

    with Wrong(triton.url, timeout_seconds=SECONDS) as models, pytest.raises(BadInput):
        models.ask(Infer("clip", {"IMAGE": np.zeros((1, 4, 4, 3), np.float32)}))


def test_a_deadline(ask: Ask, triton: EmbeddedTriton, frames: Pixels) -> None:
    with pytest.raises(ModelTimeout, match="DEADLINE_EXCEEDED"):
        ask(triton.url, "caption_frames", frames, "", seconds=0.002)


def test_no_server(ask: Ask) -> None:
    (port,) = free_ports(1)
    with pytest.raises(ModelUnavailable, match="UNAVAILABLE"):
        ask(f"127.0.0.1:{port}", "embed_images", pictures((4, 4)))


def test_a_server_that_comes_back(ask: Ask, triton: EmbeddedTriton) -> None:
    with Road(triton.url, broken=1) as road:
        assert len(ask(road.url, "embed_images", pictures((8, 8)))) == 1
        assert road.taken > 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return own_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def encrypted(triton: EmbeddedTriton, certificate: tuple[Path, Path]) -> Iterator[Road]:
    with Road(triton.url, tls=server_tls(*certificate)) as road:
        yield road


def test_tls(encrypted: Road, certificate: tuple[Path, Path]) -> None:
    trusted = Tls(authorities=certificate[0])
    with Models(encrypted.url, tls=trusted, timeout_seconds=SECONDS) as models:
        assert len(models.embed_images(pictures((8, 8)))) == 1

    async def count() -> int:
        async with AsyncModels(encrypted.url, tls=trusted, timeout_seconds=SECONDS) as models:
            return len(await models.embed_images(pictures((8, 8))))

    assert asyncio.run(count()) == 1


def test_the_service_s_own_calls_over_tls(encrypted: Road, certificate: tuple[Path, Path]) -> None:
    settings = TritonSettings(url=encrypted.url, tls=True, ssl_cafile=certificate[0])
    with pytest.raises(UsageError, match=r"triton\.ssl_certfile: cannot read"):
        triton_models(settings.model_copy(update={"ssl_certfile": Path("missing.pem")}))
    with triton_models(settings) as models:
        assert len(models.embed_images(np.stack(pictures((8, 8)))).result(SECONDS)) == 1
    with triton_models(settings.model_copy(update={"ssl_cafile": None})) as strangers:
        promise = strangers.embed_images(np.stack(pictures((8, 8))))
        with pytest.raises(ModelUnavailable):
            promise.result(SECONDS)


def test_a_stranger_s_certificate(encrypted: Road) -> None:
    with Models(encrypted.url, tls=Tls()) as models, pytest.raises(ModelUnavailable):
        models.embed_images(pictures((8, 8)))


def test_a_batch_limit_is_the_model_s(triton: EmbeddedTriton) -> None:
    from tritonclient import grpc

    with grpc.InferenceServerClient(triton.url) as client:
        request = BatchLimit("clip")
        assert request.read(request.send(client, SECONDS)) == 64


def test_caption_inputs(frames: Pixels) -> None:
    inputs = caption_inputs(frames, "é")
    assert inputs["FRAMES"].shape == (1, *frames.shape)
    assert inputs["TEXT"].tolist() == [["é".encode()]]
