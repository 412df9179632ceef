"""Two embedded frames of each shot, near its start and near its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streamer.decode.interface import Pixels, Sample
from streamer.in_flight import InFlight
from streamer.shots import Shot
from streamer.stitch.rules import Embedding

SHOTS_IN_FLIGHT = 2

Embed = Callable[[Pixels], "Future[NDArray[np.float32]]"]


@dataclass(frozen=True)
class ProbedShot:
    """A shot and the unit embeddings, float32 ``(D,)``, of a frame near each of its ends."""

    shot: Shot
    head: Embedding
    tail: Embedding


def probe_shots(
    shots: Iterable[Shot], embed: Embed, probes: tuple[float, float], dropped: Counter[str]
) -> Iterator[ProbedShot]:
    """Embed each shot's probes while later shots are being found.

    A shot too short to hold a sampled frame is counted in ``dropped`` as ``shot_unsampled``.
    """
    asked: InFlight[Shot, NDArray[np.float32]] = InFlight(SHOTS_IN_FLIGHT)
    for shot in shots:
        if shot.samples:
            asked.add(shot, embed(np.stack([probe.pixels for probe in _probes(shot, probes)])))
        else:
            dropped["shot_unsampled"] += 1
        yield from (_probed(*answer) for answer in asked.ready())
    yield from (_probed(*answer) for answer in asked.drain())


def _probes(shot: Shot, probes: tuple[float, float]) -> tuple[Sample, Sample]:
    head, tail = (shot.span.start + Fraction(part) * shot.span.seconds for part in probes)
    return _nearest(shot.samples, head), _nearest(shot.samples, tail)


def _nearest(samples: tuple[Sample, ...], time: Fraction) -> Sample:
    return min(samples, key=lambda sample: abs(sample.time - time))


def _probed(shot: Shot, embeddings: NDArray[np.float32]) -> ProbedShot:
    return ProbedShot(shot, embeddings[0], embeddings[1])
