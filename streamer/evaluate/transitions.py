"""Pictures of gradual transitions, and of camera flashes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import cast

import cv2
import numpy as np

from streamer.decode.interface import Pixels

GRADUAL = ("fade", "dip", "wipe")

Mixer = Callable[[Pixels, Pixels, float], Pixels]
"""Takes two pictures, uint8 RGB ``(H, W, 3)``, and how far the transition is: 0 to 1, exclusive."""


def mixer_of(kind: str, chance: random.Random) -> Mixer:
    """How a transition of some kind looks.

    Args:
        kind: one of ``GRADUAL``, or ``cut``, which mixes nothing.
        chance: chooses the direction of a wipe.
    """
    if kind == "wipe":
        return _wipe(across=chance.random() < 0.5, forwards=chance.random() < 0.5)
    return _dip if kind == "dip" else _fade


def lit(picture: Pixels, strength: float) -> Pixels:
    """A picture under a camera flash; at a strength of 1 it is white."""
    return _fade(picture, np.full_like(picture, 255), strength)


def _fade(old: Pixels, new: Pixels, share: float) -> Pixels:
    return cast(Pixels, cv2.addWeighted(old, 1 - share, new, share, 0))


def _dip(old: Pixels, new: Pixels, share: float) -> Pixels:
    """To black in the first half, from black in the second."""
    shown, strength = (old, 1 - 2 * share) if share < 0.5 else (new, 2 * share - 1)
    return cast(Pixels, cv2.convertScaleAbs(shown, alpha=strength, beta=0))


def _wipe(across: bool, forwards: bool) -> Mixer:
    def mix(old: Pixels, new: Pixels, share: float) -> Pixels:
        first, second, shown = (new, old, share) if forwards else (old, new, 1 - share)
        edge = round(shown * old.shape[1 if across else 0])
        mixed = second.copy()
        if across:
            mixed[:, :edge] = first[:, :edge]
        else:
            mixed[:edge] = first[:edge]
        return mixed

    return mix
