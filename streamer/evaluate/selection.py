"""Which captioner wins how often, which fail, and how well the winners match their clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from streamer_client.records import Candidate, ClipCaption

PAPER_WEAK_BELOW = 0.43
"""Panda-70M's 10M subset keeps captions above it, on the scale of its own retrieval model."""


@dataclass(frozen=True)
class CaptionerFigures:
    """One captioner over all clips.

    Attributes:
        name: of the captioner.
        asked: how many clips it was asked to caption.
        wins: how often its caption was taken.
        mean_score: of its captions, winning or not; ``None`` where it has none.
        errors: how often it failed, by message.
    """

    name: str
    asked: int
    wins: int
    mean_score: float | None
    errors: Mapping[str, int]


@dataclass(frozen=True)
class Selection:
    """The choice among captioners over all clips.

    Attributes:
        captioners: the one that wins most first.
        scores: matching score of each clip's caption.
        weak: whether it is weak.
        weak_below: the threshold, ``None`` where the records say themselves what is weak.
        rankings: what the scores are: ``clip`` or ``confidence``, or both, which do not compare.
    """

    captioners: tuple[CaptionerFigures, ...]
    scores: tuple[float, ...]
    weak: tuple[bool, ...]
    weak_below: float | None
    rankings: tuple[str, ...]


def selection_of(records: Sequence[ClipCaption], weak_below: float | None) -> Selection:
    """Count over records.

    Args:
        records: at least one.
        weak_below: captions with a lower matching score are weak; ``None``: as the records say.
    """
    wins = Counter(winner_of(record) for record in records)
    asked: dict[str, list[Candidate]] = {}
    for record in records:
        for candidate in record.candidates:
            asked.setdefault(candidate.captioner, []).append(candidate)
    figures = [_figures(name, candidates, wins[name]) for name, candidates in asked.items()]
    return Selection(
        tuple(sorted(figures, key=lambda each: -each.wins)),
        tuple(record.matching_score for record in records),
        tuple(_is_weak(record, weak_below) for record in records),
        weak_below,
        tuple(sorted({record.models.get("ranking", "unknown") for record in records})),
    )


def winner_of(record: ClipCaption) -> str | None:
    """The captioner whose caption was taken, the first of equals; ``None`` if it is no candidate's.

    Captioners may agree on a text, so the score decides too.
    """
    taken = (record.caption, record.matching_score)
    return next(
        (
            candidate.captioner
            for candidate in record.candidates
            if not candidate.error and (candidate.caption, candidate.score) == taken
        ),
        None,
    )


def _figures(name: str, candidates: Sequence[Candidate], wins: int) -> CaptionerFigures:
    scores = [candidate.score for candidate in candidates if not candidate.error]
    errors = Counter(candidate.error for candidate in candidates if candidate.error)
    by_message = {str(message): count for message, count in errors.most_common()}
    return CaptionerFigures(
        name, len(candidates), wins, fmean(scores) if scores else None, by_message
    )


def _is_weak(record: ClipCaption, weak_below: float | None) -> bool:
    return record.weak if weak_below is None else record.matching_score < weak_below
