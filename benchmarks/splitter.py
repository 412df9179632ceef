"""Splits videos with known events through one Triton, and says what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from rich.console import Console

from streamer.config import Settings
from streamer.evaluate.diagnosis import Mistake
from streamer.evaluate.evaluation import OURS, Outcome, judge, split_by
from streamer.evaluate.manifest import Manifest, load_manifest
from streamer.evaluate.measurement import Scale
from streamer.evaluate.running import RunningDistances
from streamer.served import read_served
from streamer.stitch import rules_for
from streamer_client.triton import TritonModels

_NO_DISTANCES = RunningDistances(np.empty(0, np.int64), np.empty(0))

progress = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Splitter:
    """Splitters at one Triton."""

    models: TritonModels
    settings: Settings

    def full_seconds(self) -> float:
        """Length from which a clip of the preset may take no further piece of a take."""
        served = read_served(self.models, shots=False, captions=False)
        rules = rules_for(self.settings.split, served.calibrated)
        return float(rules.max_seconds - rules.long_shots.piece)

    def split(
        self,
        manifest: Path,
        method: str = OURS,
        detector: Literal["transnetv2"] | None = None,
        keeps_still: bool = False,
    ) -> Outcome:
        """Split by the default preset, or by a peer."""
        video, truth = load_manifest(manifest)
        still = 0.0 if keeps_still else None
        settings = self.settings.with_section("split", detector=detector, still_distance=still)
        split = split_by(method, video, truth, self.models, settings, lambda _what, _frames: None)
        outcome = judge(manifest, truth, split, _NO_DISTANCES, Scale())
        progress.print(f"{manifest.stem}, {detector or method}: F1 {outcome.figures.f1:.3f}")
        return outcome


def explained(outcome: Outcome) -> Outcome:
    """The same, once a line for every miss and every false boundary is printed."""
    for mistake in outcome.mistakes:
        progress.print(f"  {_line(mistake, outcome.truth)}", soft_wrap=True)
    return outcome


def false_places(outcome: Outcome, full_seconds: float) -> list[float]:
    """Boundaries inside a take, in frames, but for those where a clip was full.

    Args:
        outcome: of a video of one take.
        full_seconds: length from which a clip may take no more, see `Splitter.full_seconds`.
    """
    full = _ends_of_full(outcome, full_seconds)
    return [each.place for each in outcome.compared.boundaries if each.place not in full]


def _ends_of_full(outcome: Outcome, full_seconds: float) -> set[float]:
    """The middles of what lies between a full clip and the next: their boundaries."""
    least = full_seconds * outcome.truth.fps
    clips = outcome.compared.split.clips
    return {(one.end + other.start) / 2 for one, other in pairwise(clips) if len(one) >= least}


def _line(mistake: Mistake, truth: Manifest) -> str:
    second = float(mistake.place / truth.fps)
    near = "" if mistake.distance is None else f", distance {mistake.distance:.2f}"
    kind = f" {mistake.transition}" if mistake.transition else ""
    where = " | ".join(_sources_at(mistake.place, truth))
    return f"{mistake.error}{kind} at {second:.2f} s: {mistake.cause}{near}; {where}"


def _sources_at(place: float, truth: Manifest) -> list[str]:
    """Sources of the event at a place, or of both where it is a join."""
    return [
        str(event.source)
        for event in truth.events
        if event.start_frame - 1 <= place <= event.end_frame + 1
    ]
