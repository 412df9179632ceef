"""Puts right the colours of a decoder that converts every video to RGB as if it were BT.601."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Shares of red and blue in luma, by the AVColorSpace that says so (ITU-T H.273, table 4).
_LUMA = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
_BT601 = 5


def correction(matrix: int) -> tuple[float, ...] | None:
    """What turns RGB by the matrix of BT.601 into RGB by another, or None for the same.

    Exact but for rounding, where the first conversion did not clip. It clips colours that are
    more saturated than BT.601 has them: a pure red of BT.709 comes out up to 30 of 255 off.

    Args:
        matrix: AVColorSpace of the stream.

    Returns:
        Nine numbers, a 3x3 matrix by rows, to be multiplied by columns of red, green and blue.
    """
    if _LUMA[matrix] == _LUMA[_BT601]:
        return None
    product = _to_rgb(matrix) @ np.linalg.inv(_to_rgb(_BT601))
    return tuple(map(float, product.ravel()))


def _to_rgb(matrix: int) -> NDArray[np.float64]:
    """From luma and the two differences, both within one half, to RGB."""
    red, blue = _LUMA[matrix]
    green = 1 - red - blue
    rows = [
        (1, 0, 2 * (1 - red)),
        (1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green),
        (1, 2 * (1 - blue), 0),
    ]
    return np.array(rows)
