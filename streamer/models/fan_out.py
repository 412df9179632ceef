"""Ask every captioner at once and keep the caption that ranks first."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)

# Asks the captioner of that name for its caption of one clip and its confidence, 0 to 1.
Ask = Callable[[str], Awaitable[tuple[str, float]]]


class CaptionerError(Exception):
    """A captioner that gave no usable caption; the text says why."""


class NoCaption(Exception):
    """Every captioner failed; the text has each one's error."""


_NAMES: dict[type[Exception], str] = {TimeoutError: "no answer within its deadline"}


@dataclass(frozen=True)
class Candidate:
    """One captioner's answer for one clip: a caption, or the error that came instead of it."""

    captioner: str
    caption: str
    score: float
    error: str


async def ask_all(captioners: Sequence[str], ask: Ask) -> tuple[Candidate, ...]:
    """One candidate per captioner, in the order given; a failure costs its candidate alone.

    Raises:
        NoCaption: if none of them has a caption.
    """
    candidates = tuple(await asyncio.gather(*(_candidate(name, ask) for name in captioners)))
    if all(candidate.error for candidate in candidates):
        raise NoCaption("; ".join(f"{each.captioner}: {each.error}" for each in candidates))
    return candidates


def best(candidates: Sequence[Candidate]) -> Candidate:
    """The candidate with the highest score; the first of equals.

    Confidences compare because each captioner's is the chance that it is right (see
    ``tags.confidence`` and ``motion.CONFIDENCE``), matching scores because one model gives them.
    """
    return max((each for each in candidates if not each.error), key=lambda each: each.score)


async def _candidate(captioner: str, ask: Ask) -> Candidate:
    try:
        caption, score = await ask(captioner)
        if not caption or not math.isfinite(score):
            raise CaptionerError(f"unusable answer: caption {caption!r}, confidence {score}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it goes into the record
        text = " ".join(str(error).split()) or _NAMES.get(type(error), type(error).__name__)
        log.warning("captioner %s failed: %s", captioner, text)
        return Candidate(captioner, "", 0.0, text)
    return Candidate(captioner, caption, score, "")
