"""The rules of splitting and their presets (Panda-70M, arXiv 2402.19479, section 3.1).

Distances are Euclidean, between unit-length embeddings, so 0 to 2. The paper's thresholds are for
ImageBind; those of the embedder at hand come with the served ``clip`` model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.config import SplitSettings
from streamer.errors import UsageError
from streamer.spans import Span

Embedding = NDArray[np.float32]


@dataclass(frozen=True)
class Thresholds:
    """Distances at which the rules decide; each fits one embedder."""

    stitch: float
    transition: float
    still: float
    repeat: float


@dataclass(frozen=True)
class StitchRules:
    """Parameters of the rules; times in seconds.

    Attributes:
        thresholds: distances of the embedder at hand.
        content_threshold: score from which the content detector sees a cut.
        probes: where in a shot its two probe frames lie, as parts of its length.
        at_longest: what happens to a clip that reaches ``max_seconds``: ``truncate`` drops the
            rest of the event, ``split`` starts another clip there.
        drop_repeats: whether a clip that looks like an earlier one is dropped.
        trim: part of the clip cut from each end.
    """

    thresholds: Thresholds
    content_threshold: float = 25.0
    probes: tuple[float, float] = (0.05, 0.95)
    min_seconds: Fraction = Fraction(2)
    max_seconds: Fraction = Fraction(60)
    at_longest: Literal["truncate", "split"] = "split"
    drop_repeats: bool = False
    trim: Fraction = Fraction(0)


def rules_for(settings: SplitSettings, calibrated: Mapping[str, str]) -> StitchRules:
    """The preset's rules with thresholds from the settings, else as calibrated for the embedder.

    Raises:
        UsageError: if a threshold is in neither.
    """
    thresholds = Thresholds(
        stitch=_threshold("stitch_distance", settings, calibrated),
        transition=_threshold("transition_distance", settings, calibrated),
        still=_threshold("still_distance", settings, calibrated),
        repeat=_threshold("repeat_distance", settings, calibrated),
    )
    released = StitchRules(thresholds, max_seconds=Fraction(1200), at_longest="truncate")
    presets = {
        # A false cut is stitched again, a missed one is lost, so it is set below the paper's.
        "default": StitchRules(thresholds, content_threshold=20.0),
        "panda-released": released,
        "panda-collected": replace(
            released,
            min_seconds=Fraction(5, 2),
            max_seconds=Fraction(60),
            drop_repeats=True,
            trim=Fraction(1, 10),
        ),
    }
    return presets[settings.preset]


def _threshold(name: str, settings: SplitSettings, calibrated: Mapping[str, str]) -> float:
    chosen: float | None = getattr(settings, name)
    if chosen is not None:
        return chosen
    try:
        return float(calibrated[name])
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"the served model 'clip' carries no usable {name}; rebuild the repository with "
            f"`streamer models build`, or set split.{name}"
        ) from error


def distance(one: Embedding, other: Embedding) -> float:
    """Euclidean distance of two embeddings of shape ``(D,)``."""
    return float(np.linalg.norm(one - other))


def is_transition(head: Embedding, tail: Embedding, rules: StitchRules) -> bool:
    """A shot whose two ends differ this much is a transition that no cut was found in (3.1)."""
    return distance(head, tail) > rules.thresholds.transition


def belongs(tail: Embedding, head: Embedding, rules: StitchRules) -> bool:
    """Whether the end of one shot and the start of the next show the same event (3.1)."""
    return distance(tail, head) <= rules.thresholds.stitch


def is_too_short(span: Span, rules: StitchRules) -> bool:
    """Clips under the shortest length are dropped (3.1)."""
    return span.seconds < rules.min_seconds


def is_still(head: Embedding, tail: Embedding, rules: StitchRules) -> bool:
    """A clip whose start and end look the same shows nothing happening (3.1)."""
    return distance(head, tail) <= rules.thresholds.still


def is_repeat(mean: Embedding, earlier: list[Embedding], rules: StitchRules) -> bool:
    """A clip whose mean embedding is that of an earlier clip of the video (3.1)."""
    if not (rules.drop_repeats and earlier):
        return False
    nearest = np.linalg.norm(np.stack(earlier) - mean, axis=1).min()
    return bool(nearest <= rules.thresholds.repeat)
