"""Textured moving pictures of the detectors' size, and transitions between them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from streamer.decode.interface import SMALL_HEIGHT, SMALL_WIDTH, Pixels

Mix = Callable[[Pixels, Pixels, float], Pixels]


class Scene:
    """A wide smooth texture of its own colours that a camera looks at through a window."""

    def __init__(self, seed: int):
        random = np.random.default_rng(seed)
        coarse = random.integers(0, 256, (6, 18, 3)).astype(np.float32)
        tint = random.uniform(0.35, 1.0, 3)
        size = (6 * SMALL_WIDTH, 2 * SMALL_HEIGHT)
        self._texture = cv2.resize(coarse * tint, size, interpolation=cv2.INTER_CUBIC)

    def picture(self, right: float, down: float = 0.0) -> Pixels:
        """What the camera sees when it has moved by some pixels."""
        shift = np.array([[1, 0, -right], [0, 1, -down]], np.float32)
        size = (SMALL_WIDTH, SMALL_HEIGHT)
        seen = cv2.warpAffine(self._texture, shift, size, borderMode=cv2.BORDER_REFLECT)
        return np.clip(seen, 0, 255).astype(np.uint8)

    def take(self, count: int, start: float = 20.0, speed: float = 0.1) -> Pixels:
        """``count`` pictures of a camera that moves slowly."""
        return np.stack([self.picture(start + speed * i) for i in range(count)])


def joined(one: Pixels, other: Pixels, length: int, mix: Mix) -> Pixels:
    """Two takes, the last ``length`` pictures of the first mixed with the first of the second."""
    shares = (np.arange(length) + 1) / (length + 1)
    ends = zip(one[len(one) - length :], other[:length], shares, strict=True)
    between = [mix(old, new, float(share)) for old, new, share in ends]
    return np.concatenate([one[: len(one) - length], *[m[None] for m in between], other[length:]])
