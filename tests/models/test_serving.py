"""The real Triton serves the models, mixes nothing up, and bears a captioner that fails."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient import grpc as triton

from streamer.embedded.footprints import model_memory
from streamer.errors import Unavailable
from streamer.models.check import check_models
from streamer.models.image_tower import ImageTower, central_square
from streamer.models.layout import served_models
from streamer.models.motion import describe
from streamer.models.profile import load_profile
from streamer.models.shot_scores import ShotScorer
from streamer.models.tags import Tagger
from streamer_client.errors import ModelRefused
from streamer_client.triton import TritonModels
from tests.servers import triton_serving

from .conftest import Photographs

pytestmark = pytest.mark.services

CAPTIONERS = "captioner_tags,captioner_motion"
BROKEN = '''
"""A captioner that fails on every clip."""
from streamer.models import serving


class TritonPythonModel:
    def initialize(self, args):
        serving.start(args)

    def execute(self, requests):
        return serving.answer_captions(requests, self._fail)

    def _fail(self, frames):
        raise RuntimeError("no idea")
'''
SLOW = BROKEN.replace("raise RuntimeError", "import time; time.sleep(3); raise RuntimeError")


@pytest.fixture(scope="module")
def served(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The offline profile, captioners that fail or are late, and ensembles that ask them."""
    served = tmp_path_factory.mktemp("served") / "models"
    shutil.copytree(repository, served)
    shutil.copytree(served / "captioner_motion", served / "captioner_broken")
    (served / "captioner_broken" / "1" / "model.py").write_text(BROKEN)
    shutil.copytree(served / "captioner_motion", served / "captioner_slow")
    (served / "captioner_slow" / "1" / "model.py").write_text(SLOW)
    add_ensemble(served, "caption_soon", "captioner_slow,captioner_motion", deadline="1")
    add_ensemble(served, "caption_partly", "captioner_broken,captioner_motion,captioner_absent")
    add_ensemble(served, "caption_never", "captioner_broken,captioner_absent")
    return served


@pytest.fixture(scope="module")
def url(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Triton that serves them."""
    with triton_serving(served, tmp_path_factory.mktemp("logs")) as server:
        yield server.url


def add_ensemble(served: Path, name: str, captioners: str, deadline: str = "45") -> None:
    shutil.copytree(served / "caption", served / name)
    config = served / name / "config.pbtxt"
    text = config.read_text()
    assert CAPTIONERS in text
    assert '"45"' in text
    config.write_text(text.replace(CAPTIONERS, captioners).replace('"45"', f'"{deadline}"'))


@pytest.fixture(scope="module")
def models(url: str) -> Iterator[TritonModels]:
    with TritonModels(url) as models:
        yield models


@pytest.fixture(scope="module")
def clips(photographs: Photographs) -> list[NDArray[np.uint8]]:
    """Clips of different content, length and size: each photograph, panned over."""
    made = []
    for i, photograph in enumerate(photographs.values()):
        height, width = 90 + 10 * (i % 3), 160 + 16 * (i % 2)
        wide = cv2.resize(photograph, (width + 40, height), interpolation=cv2.INTER_AREA)
        steps = range(0, 40, 40 // (i % 4 + 1))
        made.append(np.stack([wide[:, step : step + width] for step in steps]))
    return made


def test_many_interleaved_clips_keep_their_captions(
    models: TritonModels, tower: ImageTower, clips: list[NDArray[np.uint8]]
) -> None:
    tagger = Tagger(tower)
    expected = [(tagger(clip), describe(clip)) for clip in clips]
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(len(clips)), 8))
    answers = [(i, models.caption(clips[i], f"title {i}")) for i in order]
    for i, answer in answers:
        result = answer.result(timeout=120)
        tags, motion = expected[i]
        assert [each.captioner for each in result.candidates] == CAPTIONERS.split(",")
        assert [each.caption for each in result.candidates] == [tags[0], motion[0]]
        assert [each.error for each in result.candidates] == [None, None]
        assert result.candidates[0].score == pytest.approx(tags[1], abs=1e-3)
        winner = tags if tags[1] > motion[1] else motion
        assert result.caption == winner[0]
        assert result.matching_score == pytest.approx(winner[1], abs=1e-3)


def test_many_interleaved_images_keep_their_embeddings(
    models: TritonModels, tower: ImageTower, photographs: Photographs
) -> None:
    images = list(photographs.values())
    expected = tower.embed(np.stack([central_square(image) for image in images]))
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(len(images)), 10))
    answers = [(i, models.embed_images(np.stack([images[i], images[i][::-1]]))) for i in order]
    for i, answer in answers:
        embeddings = answer.result(timeout=120)
        assert embeddings.shape == (2, 1280)
        np.testing.assert_allclose(embeddings[0], expected[i], atol=1e-4)


def test_shots_in_one_batch_keep_their_scores(url: str) -> None:
    windows = np.random.default_rng(0).integers(0, 256, (3, 100, 27, 48, 3), dtype=np.uint8)
    expected = ShotScorer()(windows)
    for name, scores in zip(("CUT", "TRANSITION"), expected, strict=True):
        served = infer(url, "shots", {"FRAMES": windows}).as_numpy(name)
        np.testing.assert_allclose(served, scores, atol=1e-4)


def test_several_clips_in_one_request(url: str, clips: list[NDArray[np.uint8]]) -> None:
    clip = clips[1]
    batch = np.stack([clip, clip[:, :, ::-1]])
    answer = infer(url, "caption", {"FRAMES": batch, "TEXT": strings([[b""], [b""]])})
    expected = [describe(each)[0].encode() for each in batch]
    assert list(answer.as_numpy("CANDIDATES")[:, 1]) == expected


def test_a_captioner_that_fails_costs_its_candidate(
    url: str, clips: list[NDArray[np.uint8]]
) -> None:
    inputs = {"FRAMES": clips[0][None], "TEXT": strings([[b""]])}
    answer = infer(url, "caption_partly", inputs)
    caption = describe(clips[0])[0].encode()
    assert answer.as_numpy("CAPTION")[0, 0] == caption
    assert list(answer.as_numpy("CANDIDATES")[0]) == [b"", caption, b""]
    assert list(answer.as_numpy("SCORES")[0]) == pytest.approx([0, 0.6, 0])
    broken, fine, absent = answer.as_numpy("ERRORS")[0]
    assert b"no idea" in broken
    assert fine == b""
    assert b"captioner_absent" in absent


def test_a_captioner_that_is_late_costs_its_candidate(
    url: str, clips: list[NDArray[np.uint8]]
) -> None:
    caption = describe(clips[0])[0].encode()
    inputs = {"FRAMES": clips[0][None], "TEXT": strings([[b""]])}
    for _ in range(2):  # What the late one answers at last meets nobody.
        answer = infer(url, "caption_soon", inputs)
        assert answer.as_numpy("CAPTION")[0, 0] == caption
        late, fine = answer.as_numpy("ERRORS")[0]
        assert (late, fine) == (b"no answer within its deadline", b"")


def test_an_error_is_answered_when_every_captioner_fails(
    url: str, clips: list[NDArray[np.uint8]]
) -> None:
    inputs = {"FRAMES": clips[0][None], "TEXT": strings([[b""]])}
    with pytest.raises(
        triton.InferenceServerException, match=r"captioner_broken: .*no idea"
    ) as error:
        infer(url, "caption_never", inputs)
    assert error.value.status() == "StatusCode.UNAVAILABLE"  # Another attempt is worth it.


def test_an_image_of_no_size_is_refused_alone(
    models: TritonModels, photographs: Photographs
) -> None:
    empty = models.embed_images(np.zeros((1, 0, 5, 3), np.uint8))
    good = models.embed_images(photographs["cat"][None])
    assert good.result(timeout=60).shape == (1, 1280)
    with pytest.raises(ModelRefused):
        empty.result(timeout=60)


def test_the_worker_reads_its_parameters(models: TritonModels) -> None:
    served = served_models(load_profile("offline"))
    for name in ("shots", "clip", "caption", "captioner_tags"):
        assert models.parameters(name) == served[name].parameters


def test_check_runs_every_model(url: str) -> None:
    results = {result.model: result for result in check_models(url, runs=1)}
    assert set(load_profile("offline").models) <= set(results)
    assert results["clip"].outputs == {"EMBEDDING": (1, 1280)}
    assert results["clip"].version == load_profile("offline").models["clip"].version
    assert results["shots"].batch > 0
    failed = {name for name, result in results.items() if result.error is not None}
    assert failed == {"captioner_broken", "captioner_slow", "caption_never"}
    assert all((result.latency_ms is None) == (name in failed) for name, result in results.items())


def test_each_model_that_runs_here_holds_memory(served: Path, url: str) -> None:
    memory = model_memory(served)
    assert check_models(url, runs=1)
    python = {path.parents[1].name for path in served.glob("*/1/model.py")}
    assert set(memory) == python
    assert all(bytes_ > 5e6 for bytes_ in memory.values())


def test_check_without_a_server_says_so() -> None:
    with pytest.raises(Unavailable, match="no Triton answers"):
        check_models("127.0.0.1:9")


def strings(rows: list[list[bytes]]) -> NDArray[np.object_]:
    return np.array(rows, dtype=np.object_)


def infer(url: str, model: str, inputs: dict[str, NDArray[np.generic]]) -> triton.InferResult:
    with triton.InferenceServerClient(url) as client:
        tensors = []
        for name, array in inputs.items():
            datatype = "BYTES" if array.dtype == np.object_ else "UINT8"
            tensors.append(triton.InferInput(name, list(array.shape), datatype))
            tensors[-1].set_data_from_numpy(np.ascontiguousarray(array))
        return client.infer(model, tensors, client_timeout=120)
