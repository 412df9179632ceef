"""The rules of splitting and their presets (Panda-70M, arXiv 2402.19479, section 3.1).

Distances are Euclidean, between unit-length embeddings, so 0 to 2. The paper's thresholds are for
ImageBind; those of the embedder at hand come with the served ``clip`` model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.config import SplitSettings
from streamer.errors import UsageError
from streamer.shots import LongShotRule
from streamer.spans import Span

Embedding = NDArray[np.float32]

# Of 1,560 pairs of unrelated clips one in 100 is nearer than 1.02 in EfficientNet-Lite0's
# embeddings once far colours count, the nearest that a cut joins at 0.99, and of 41 cuts inside
# clips none is farther than 0.96. Colours
# differ by 0.65 to 0.85 where only the embeddings are near, and within a clip that rarely.
_USUAL_COLOURS, _MOST_COLOURS = 0.65, 0.2
# Of unrelated clips fewer than one in 200 are this near, as a part of the event distance.
_RETURN = 0.83
# Fades inside clips reach 1.00, cuts inside clips 0.96: where editors fade they stay with a scene
# from farther away.
_GRADUAL = 0.04
_STILL_SECONDS = Fraction(2)


@dataclass(frozen=True)
class Thresholds:
    """Distances at which the rules decide; each fits one embedder."""

    stitch: float
    event: float
    transition: float
    still: float
    repeat: float


@dataclass(frozen=True)
class StitchRules:
    """Parameters of the rules; times in seconds.

    Attributes:
        thresholds: distances of the embedder at hand.
        content_threshold: score from which the content detector sees a cut.
        long_shots: how shots are cut into pieces.
        probes: where in a piece its probe frames lie, as parts of its length.
        neighbours: how many of the last probes of a clip the next shot is compared with.
        keeps_takes: whether pieces of one take always belong together.
        drops_transitions: whether a shot whose ends differ much is dropped.
        at_longest: what happens to a clip that reaches ``max_seconds``: ``truncate`` drops the
            rest of the event, ``split`` starts another clip there.
        drop_repeats: whether a clip that looks like an earlier one is dropped.
        trim: part of the clip cut from each end.
    """

    thresholds: Thresholds
    content_threshold: float = 25.0
    long_shots: LongShotRule = field(default_factory=LongShotRule)
    probes: tuple[float, ...] = (0.05, 0.95)
    neighbours: int = 1
    keeps_takes: bool = False
    drops_transitions: bool = True
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
        event=_threshold("event_distance", settings, calibrated),
        transition=_threshold("transition_distance", settings, calibrated),
        still=_threshold("still_distance", settings, calibrated),
        repeat=_threshold("repeat_distance", settings, calibrated),
    )
    released = StitchRules(thresholds, max_seconds=Fraction(1200), at_longest="truncate")
    presets = {
        "default": StitchRules(
            thresholds,
            # A false cut is stitched again, a missed one is lost, so it is set below the paper's.
            content_threshold=20.0,
            min_seconds=Fraction(1, 2),
            max_seconds=Fraction(300),
            long_shots=LongShotRule(piece=Fraction(1), over=Fraction(1)),
            probes=(0.5,),
            neighbours=3,
            keeps_takes=True,
            drops_transitions=False,
        ),
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
    return rules.drops_transitions and distance(head, tail) > rules.thresholds.transition


def belongs(tail: Embedding, head: Embedding, rules: StitchRules) -> bool:
    """Whether the end of one shot and the start of the next show the same event (3.1)."""
    return distance(tail, head) <= rules.thresholds.stitch


def goes_on(
    tails: Iterable[Embedding],
    head: Embedding,
    colours: float,
    is_gradual: bool,
    rules: StitchRules,
) -> bool:
    """Whether a shot shows the event of those before it: the rule of the default preset.

    Of several earlier probes the nearest counts, so that a picture like no other - a flash, a hand
    before the camera - does not end a clip. Colours that change more than they do within an event
    count against it: shots of one event share their place and their light, which an embedder
    trained to name things does not tell.

    Args:
        tails: embeddings of the last probes of the clip.
        head: embedding of the shot's first probe.
        colours: `colour_distance` of both, 0 to 1.
        is_gradual: whether the change before the shot is gradual.
        rules: the event distance.
    """
    nearest = min(distance(tail, head) for tail in tails)
    far_colours = min(max(colours - _USUAL_COLOURS, 0.0), _MOST_COLOURS)
    allowed = rules.thresholds.event + (_GRADUAL if is_gradual else 0.0)
    return nearest + far_colours <= allowed


def returns(tails: Iterable[Embedding], head: Embedding, rules: StitchRules) -> bool:
    """Whether a shot shows once more what was seen before the clip: the default preset's.

    Nearer than is enough for neighbours, since unrelated events can look somewhat alike.

    Args:
        tails: embeddings of the last probes of the clip before.
        head: embedding of the shot's first probe.
        rules: the event distance.
    """
    nearest = min((distance(tail, head) for tail in tails), default=inf)
    return nearest <= _RETURN * rules.thresholds.event


def is_too_short(span: Span, rules: StitchRules) -> bool:
    """Clips under the shortest length are dropped (3.1)."""
    return span.seconds < rules.min_seconds


def is_still(span: Span, change: float, rules: StitchRules) -> bool:
    """A clip that looks the same at its end shows nothing happening (3.1).

    The paper judges clips of 2 s and more; a shorter one has had no time to change.

    Args:
        span: of the clip.
        change: distance of its first embedding from the last; in the default preset from the
            farthest, since a scene may end as it began.
        rules: the still distance.
    """
    return span.seconds >= _STILL_SECONDS and change <= rules.thresholds.still


def is_repeat(mean: Embedding, earlier: list[Embedding], rules: StitchRules) -> bool:
    """A clip whose mean embedding is that of an earlier clip of the video (3.1)."""
    if not (rules.drop_repeats and earlier):
        return False
    nearest = np.linalg.norm(np.stack(earlier) - mean, axis=1).min()
    return bool(nearest <= rules.thresholds.repeat)
