"""Figures of a splitter, from its counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.evaluate.measurement import Measurement


@dataclass(frozen=True)
class Lengths:
    """Spread of clip lengths, in seconds."""

    shortest: float
    median: float
    p90: float
    longest: float


@dataclass(frozen=True)
class Figures:
    """What is reported of a splitter.

    Attributes:
        precision: share of found boundaries that are true; 1 if none were found.
        recall: share of true joins that were found; 1 if there are none.
        f1: their harmonic mean; 1 if there was nothing to find and nothing was found.
        recall_by_transition: recall by kind of join.
        clips: how many.
        shots_per_clip: mean; ``None`` without clips.
        lengths: of clips; ``None`` without clips.
        coverage: share of the frames that clips keep.
        running_mean: mean over clips of the max running distance; ``None`` if no clip has two
            samples.
        running_p95: its 95th percentile over clips.
        boundary_latency: median over clips of the frames decoded beyond its end when it came out;
            ``None`` where that was not watched.
        frames_per_second: speed, decoding included.
    """

    joins: int
    found: int
    hits: int
    precision: float
    recall: float
    f1: float
    recall_by_transition: dict[str, float]
    clips: int
    shots_per_clip: float | None
    lengths: Lengths | None
    coverage: float
    running_mean: float | None
    running_p95: float | None
    boundary_latency: float | None
    frames_per_second: float


def figures_of(measured: Measurement) -> Figures:
    """Figures of one video, or of several pooled."""
    joins, hits, found = measured.joins.total(), measured.hits.total(), measured.found
    return Figures(
        joins=joins,
        found=found,
        hits=hits,
        precision=_share(hits, found),
        recall=_share(hits, joins),
        f1=_share(2 * hits, joins + found),
        recall_by_transition={
            kind: measured.hits[kind] / count for kind, count in sorted(measured.joins.items())
        },
        clips=len(measured.lengths),
        shots_per_clip=_mean(measured.shots_per_clip),
        lengths=_lengths(measured.lengths),
        coverage=measured.kept / measured.total if measured.total else 0.0,
        running_mean=_mean(measured.running),
        running_p95=float(np.percentile(measured.running, 95)) if measured.running else None,
        boundary_latency=float(np.median(measured.frames_after)) if measured.frames_after else None,
        frames_per_second=measured.total / max(measured.seconds, 1e-9),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _lengths(seconds: Sequence[float]) -> Lengths | None:
    if not seconds:
        return None
    median, p90 = np.percentile(seconds, (50, 90))
    return Lengths(min(seconds), float(median), float(p90), max(seconds))
