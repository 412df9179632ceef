"""How bright a clip is and which colours dominate it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Colour shares do not change with size; this keeps them under a millisecond.
SIZE = (64, 36)
# Mean luma, 0 to 255.
DARK, BRIGHT = 70, 140
# A colour is named from this share of the pixels on, two at most; one rules from one half on.
SHARE, MOSTLY = 0.2, 0.5
# Ends of the hue ranges in OpenCV's half degrees; red closes the circle.
_HUE_ENDS = np.array([8, 22, 35, 82, 98, 130, 150, 172])
_HUES = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "red")

UInt8Array = NDArray[np.uint8]


def light_and_colours(frames: UInt8Array) -> str:
    """A phrase such as ``bright, mostly green and blue``.

    Args:
        frames: uint8 RGB, shape ``(T, H, W, 3)``.
    """
    small = np.stack([cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA) for frame in frames])
    strip = small.reshape(-1, SIZE[0], 3)
    brightness = float(cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY).mean())
    light = "dark" if brightness < DARK else "bright" if brightness > BRIGHT else ""
    return ", ".join(part for part in (light, _dominant(strip)) if part)


def _dominant(strip: UInt8Array) -> str:
    names, counts = np.unique(named_colours(strip), return_counts=True)
    shares = sorted(zip(counts / counts.sum(), names, strict=True), reverse=True)
    leading = [str(name) for share, name in shares[:2] if share >= SHARE]
    if not leading:
        return "many-coloured"
    covered = sum(share for share, _ in shares[: len(leading)])
    return f"{'mostly ' if covered >= MOSTLY else ''}{' and '.join(leading)}"


def named_colours(pixels: UInt8Array) -> NDArray[np.str_]:
    """The name of each pixel's colour: uint8 RGB ``(H, W, 3)`` to strings ``(H, W)``."""
    hue, saturation, value = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV))
    names = np.array(_HUES)[np.searchsorted(_HUE_ENDS, hue, side="right")]
    # Brown is dark or dull orange; there is no brown light.
    names[(names == "orange") & ((value < 170) | (saturation < 110))] = "brown"
    plain = saturation < 40
    names[plain] = np.where(value[plain] > 200, "white", "grey")
    names[value < 50] = "black"
    return names
