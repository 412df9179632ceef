"""A profile of checkpoints, from the command that builds it to the records that it leads to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.models.build import MANIFEST, build_repository
from streamer.models.captioner import Caption, Captioner
from streamer.models.check import check_models
from streamer.models.open_clip_model import ImageTower, TextTower
from streamer.models.open_clip_preprocess import ImagePreprocess
from streamer.models.open_clip_tokenizer import Tokenizer
from streamer.models.profile import Profile, load_profile
from streamer_client import Models
from streamer_client.triton import TritonModels
from tests.cli.test_commands import streamer
from tests.profiles.write_checkpoints import write_checkpoints
from tests.servers import triton_serving

pytestmark = pytest.mark.services

PROFILES = Path(__file__).parents[1] / "profiles"
CAPTIONERS = ["captioner_motion", "captioner_blip", "captioner_smolvlm"]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile(PROFILES / "tiny.toml")


@pytest.fixture(scope="module")
def served(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_repository(profile, tmp_path_factory.mktemp("tiny") / "models")


@pytest.fixture(scope="module")
def url(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with triton_serving(served, tmp_path_factory.mktemp("logs")) as server:
        yield server.url


@pytest.fixture(scope="module")
def models(url: str) -> Iterator[TritonModels]:
    with TritonModels(url, 120) as models:
        yield models


@pytest.fixture(scope="module")
def clips() -> list[NDArray[np.uint8]]:
    random = np.random.default_rng(0)
    sizes = [(8, 64, 96), (3, 40, 40), (1, 90, 60), (5, 36, 100), (8, 50, 50)]
    return [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_the_checkpoints_are_those_that_their_writer_writes(tmp_path: Path) -> None:
    write_checkpoints(tmp_path)
    kept = PROFILES / "checkpoints"
    names = {file.relative_to(kept) for file in kept.rglob("*") if file.is_file()}
    assert names == {file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()}


def test_a_client_scores_pictures_and_texts(url: str, models: TritonModels) -> None:
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (size, 80, 3), dtype=np.uint8) for size in (60, 90, 60)]
    words = [f"{number} birds" for number in range(40)]
    with Models(url, timeout_seconds=120) as client:
        scores, said = client.score(images, words), client.embed_text(words)
        alone = client.embed_text(words[-1:])
    assert scores.shape == (3, 40)
    np.testing.assert_allclose(np.linalg.norm(said, axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(said[-1:], alone, atol=1e-4)
    picture = models.embed_images(images[1][None]).result(120)[0]
    np.testing.assert_allclose(scores[1], said @ picture, atol=1e-4)


def test_the_manifest_has_the_hash_of_each_file(served: Path) -> None:
    weights = json.loads((served / MANIFEST).read_text())["weights"]
    assert set(weights) == {"clip@local", "blip@local", "smolvlm@local"}
    assert all(len(value) == 64 for files in weights.values() for value in files.values())


def test_candidates_are_scored_by_their_cosine_with_the_frames(
    profile: Profile, models: TritonModels, clips: list[NDArray[np.uint8]]
) -> None:
    """Interleaved: each caption belongs to its clip, each score to its caption."""
    assert profile.image_text is not None
    folder = profile.image_text.folder
    assert folder is not None
    preprocess, tower = ImagePreprocess(folder), ImageTower(folder)
    tokenizer, texts = Tokenizer(folder), TextTower(folder)
    captioners = {
        f"captioner_{name}": Captioner(options.folder or Path(), options)
        for name, options in profile.captioners.items()
    }
    asked = [
        (i, models.caption(clips[i], f"clip {i}")) for _ in range(4) for i in range(len(clips))
    ]
    for i, answer in asked:
        result = answer.result(120)
        assert [each.captioner for each in result.candidates] == CAPTIONERS
        frames = tower(np.stack([preprocess(frame) for frame in clips[i]])).mean(axis=0)
        for each in result.candidates:
            if each.captioner in captioners:
                [alone] = captioners[each.captioner].describe([clips[i]], [f"clip {i}"])
                expected = alone.text if isinstance(alone, Caption) else ""
                assert each.caption == expected
            if each.error is None:
                [text] = texts(tokenizer([each.caption]))
                assert each.score == pytest.approx(float(frames @ text), abs=1e-4)
        best = max((each for each in result.candidates if not each.error), key=lambda c: c.score)
        assert (result.caption, result.matching_score) == (best.caption, best.score)


def test_a_run_records_every_candidate(url: str, short: Path, tmp_path: Path) -> None:
    records = _run(url, short, tmp_path)
    assert records
    for record in records:
        assert record["models"]["ranking"] == "clip"
        assert record["models"]["clip_text"] == "clip@local"
        assert [each["captioner"] for each in record["candidates"]] == CAPTIONERS
        assert record["weak"] == (record["matching_score"] < 0)


def test_a_captioner_that_fails_costs_its_candidate(
    profile: Profile, short: Path, tmp_path: Path
) -> None:
    late = profile.captioners["smolvlm"].model_copy(update={"deadline_seconds": 1e-4})
    failing = profile.model_copy(update={"captioners": {**profile.captioners, "smolvlm": late}})
    served = build_repository(failing, tmp_path / "models")
    with triton_serving(served, tmp_path) as server:
        records = _run(server.url, short, tmp_path)
    for record in records:
        *others, smolvlm = record["candidates"]
        assert "no caption within its deadline" in smolvlm["error"]
        assert record["caption"] in {each["caption"] for each in others if not each["error"]}


def _run(url: str, video: Path, folder: Path) -> list[dict[str, Any]]:
    output = folder / "clips.jsonl"
    done = streamer("run", str(video), "--triton", url, "-o", str(output))
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in output.read_text().splitlines()]
    return [each for each in records if each["type"] == "clip.caption"]


@pytest.mark.parametrize("gib", [0.5, 1e-3])
def test_models_that_do_not_fit_are_not_built(gib: float, tmp_path: Path) -> None:
    output = tmp_path / "models"
    given = ("--profile", str(PROFILES / "tiny.toml"), "--output", str(output))
    done = streamer("models", "build", *given, "--gpu-gib", str(gib))
    assert done.returncode == 2
    assert "the models need" in done.stderr
    assert not output.exists()


def test_a_checkpoint_that_is_missing_is_named(profile: Profile, tmp_path: Path) -> None:
    absent = profile.captioners["blip"].model_copy(update={"checkpoint": f"local-dir:{tmp_path}/x"})
    broken = profile.model_copy(update={"captioners": {"blip": absent}})
    with pytest.raises(UsageError, match=r"no checkpoint at .*/x"):
        build_repository(broken, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_check_runs_every_model(url: str) -> None:
    results = {result.model: result for result in check_models(url, runs=1)}
    assert {name: each.error for name, each in results.items() if each.error} == {}
    assert results["clip_text_tower"].outputs == results["clip"].outputs
