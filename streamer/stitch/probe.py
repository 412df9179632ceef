"""Embedded frames of each shot, or of each piece of a long one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streamer.colours import Colours, colours_of
from streamer.decode.interface import Pixels, Sample
from streamer.in_flight import InFlight
from streamer.shots import Shot
from streamer.stitch.rules import Embedding

SHOTS_IN_FLIGHT = 2
# Spread of the values of a picture, of 255, below which it is black, white, or of one colour.
_PLAIN = 6.0
_SHORT_SECONDS = Fraction(1, 2)

Embed = Callable[[Pixels], "Future[NDArray[np.float32]]"]


@dataclass(frozen=True)
class ProbedShot:
    """A shot and how it looks.

    Attributes:
        shot: the shot, or a piece of a long one.
        head: unit embedding of its first probe, float32 ``(D,)``.
        tail: of its last.
        colours: of all its samples, float32 ``(512,)``.
    """

    shot: Shot
    head: Embedding
    tail: Embedding
    colours: Colours


@dataclass(frozen=True)
class _Look:
    """What a shot looks like, once its embeddings are there."""

    embeddings: Future[NDArray[np.float32]]
    colours: Colours


def probe_shots(
    shots: Iterable[Shot], embed: Embed, probes: tuple[float, ...], dropped: Counter[str]
) -> Iterator[ProbedShot]:
    """Embed each shot's probes while later shots are being found.

    The short end of a take, of which a probe might already show what comes, looks like the piece
    before it, and so does a shot too short to hold a sampled frame. Where nothing is before that,
    it is counted in ``dropped`` as ``shot_unsampled``.

    Args:
        shots: in order.
        embed: promises the unit embeddings of some frames.
        probes: where in a shot they lie, as parts of its length, in order.
        dropped: counts what is left out.
    """
    asked: InFlight[tuple[Shot, Colours], NDArray[np.float32]] = InFlight(SHOTS_IN_FLIGHT)
    look: _Look | None = None
    for shot in shots:
        look = _look(shot, look, embed, probes)
        if look is not None:
            asked.add((shot, look.colours), look.embeddings)
        else:
            dropped["shot_unsampled"] += 1
        yield from (_probed(*answer) for answer in asked.ready())
    yield from (_probed(*answer) for answer in asked.drain())


def _look(
    shot: Shot, before: _Look | None, embed: Embed, probes: tuple[float, ...]
) -> _Look | None:
    is_end = not shot.after_cut and shot.span.seconds < _SHORT_SECONDS
    if before is not None and (is_end or not shot.samples):
        return before
    if not shot.samples:
        return None
    telling = [each for each in shot.samples if not _is_plain(each.pixels)] or [*shot.samples]
    images = np.stack([each.pixels for each in _probes(shot, telling, probes)])
    return _Look(embed(images), colours_of(each.pixels for each in telling))


def _probes(shot: Shot, samples: list[Sample], probes: tuple[float, ...]) -> Iterator[Sample]:
    for part in probes:
        time = shot.span.start + Fraction(part) * shot.span.seconds
        yield min(samples, key=lambda sample: abs(sample.time - time))


def _is_plain(pixels: Pixels) -> bool:
    """Whether it shows a single colour, and so nothing of the event."""
    return bool(pixels[::8, ::8].std(axis=(0, 1)).max() < _PLAIN)


def _probed(asked: tuple[Shot, Colours], embeddings: NDArray[np.float32]) -> ProbedShot:
    shot, colours = asked
    return ProbedShot(shot, embeddings[0], embeddings[-1], colours)
