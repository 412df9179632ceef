"""Colours of a stretch of video, and how much those of two stretches differ."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.decode.interface import SMALL_HEIGHT, SMALL_WIDTH, Pixels

Colours = NDArray[np.float32]

_LEVELS = 8  # per channel
_BINS = _LEVELS**3


def colours_of(pictures: Iterable[Pixels]) -> Colours:
    """Shares of 512 colours in all pictures together, float32 ``(512,)``, summing up to 1.

    Args:
        pictures: uint8 RGB ``(H, W, 3)``, one at least; looked at as 48x27 means, since single
            pixels of a large picture have more colours than people see in it.
    """
    counts = np.zeros(_BINS)
    for picture in pictures:
        levels = (_small(picture) // (256 // _LEVELS)).reshape(-1, 3).astype(np.intp)
        counts += np.bincount(levels @ (_LEVELS**2, _LEVELS, 1), minlength=_BINS)
    return np.asarray(counts / counts.sum(), np.float32)


def _small(picture: Pixels) -> Pixels:
    size = (SMALL_WIDTH, SMALL_HEIGHT)
    if picture.shape[:2] == size[::-1]:
        return picture
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def colour_distance(one: Colours, other: Colours) -> float:
    """Hellinger distance of two distributions: 0 if equal, 1 if they have no colour in common."""
    return float(np.sqrt(max(0.0, 1.0 - float(np.sqrt(one * other).sum()))))
