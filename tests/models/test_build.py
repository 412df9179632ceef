"""A repository is built whole or not at all, and not built again without need."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streamer.errors import UsageError
from streamer.models import build
from streamer.models.build import MANIFEST, build_repository, is_current
from streamer.models.export import ExportMismatch
from streamer.models.placing import Placing
from streamer.models.profile import Profile, load_profile


@pytest.fixture
def light() -> Profile:
    """A profile without weights, which builds at once."""
    profile = load_profile("offline")
    models = {name: profile.models[name] for name in ("caption", "captioner_motion", "clip")}
    return profile.model_copy(update={"models": models})


def test_the_offline_profile_is_whole(repository: Path) -> None:
    profile = load_profile("offline")
    assert {folder.name for folder in repository.iterdir() if folder.is_dir()} == set(
        profile.models
    )
    for name, model in profile.models.items():
        config = (repository / name / "config.pbtxt").read_text()
        assert f'key: "version" value {{ string_value: "{model.version}"' in config
        assert (repository / name / "1").is_dir()
        assert (model.weights is not None) == (repository / name / "1" / "model.onnx").is_file()
    assert is_current(profile, repository)


def test_building_again_changes_nothing(light: Profile, tmp_path: Path) -> None:
    output = build_repository(light, tmp_path / "models")
    before = (output / MANIFEST).stat().st_mtime_ns, output.stat().st_ino
    build_repository(light, output)
    assert ((output / MANIFEST).stat().st_mtime_ns, output.stat().st_ino) == before
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_a_changed_profile_and_a_damaged_repository_are_built_again(
    light: Profile, tmp_path: Path
) -> None:
    output = build_repository(light, tmp_path / "models")
    moved = light.clip.model_copy(update={"stitch_distance": 0.5})
    changed = light.model_copy(update={"clip": moved})
    assert not is_current(changed, output)
    build_repository(changed, output)
    assert 'string_value: "0.5"' in (output / "clip" / "config.pbtxt").read_text()
    (output / "caption" / "1" / "model.py").unlink()
    assert not is_current(changed, output)
    build_repository(changed, output)
    assert is_current(changed, output)


def test_what_a_server_leaves_behind_does_not_matter(light: Profile, tmp_path: Path) -> None:
    output = build_repository(light, tmp_path / "models")
    cache = output / "caption" / "1" / "__pycache__"
    cache.mkdir()
    (cache / "model.pyc").write_bytes(b"code")
    assert is_current(light, output)


def test_a_build_that_fails_leaves_the_old_repository(
    light: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = build_repository(light, tmp_path / "models")

    def refuse(*_: object) -> None:
        raise ExportMismatch("weights differ")

    monkeypatch.setattr(Placing, "place", refuse)
    with pytest.raises(ExportMismatch):
        build_repository(load_profile("offline"), output)
    assert is_current(light, output)
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_builds_at_the_same_time_end_with_one_repository(light: Profile, tmp_path: Path) -> None:
    output = tmp_path / "models"
    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(lambda _: build_repository(light, output), range(16)))
    assert built == [output] * 16
    assert is_current(light, output)
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_a_folder_of_something_else_is_left_alone(light: Profile, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="something else"):
        build_repository(light, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UsageError, match="not a directory"):
        build_repository(light, tmp_path / "thesis.tex")


def test_an_unknown_model_is_named(light: Profile, tmp_path: Path) -> None:
    models = {**light.models, "captioner_x": light.models["captioner_motion"]}
    with pytest.raises(UsageError, match=r"models\.captioner_x"):
        build_repository(light.model_copy(update={"models": models}), tmp_path / "models")
    assert list(tmp_path.iterdir()) == []


def test_an_installed_package_carries_its_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(build.find_model_repository(), tmp_path / "streamer" / "model_repository")
    module = tmp_path / "streamer" / "models" / "build.py"
    monkeypatch.setattr(build, "__file__", str(module))
    assert build.find_model_repository() == tmp_path / "streamer" / "model_repository"
    shutil.rmtree(tmp_path / "streamer" / "model_repository")
    with pytest.raises(UsageError, match="model_repository"):
        build.find_model_repository()
