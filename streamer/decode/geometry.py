"""How stored frames become displayed ones: turning, square pixels, and the size of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame

from streamer.decode.interface import Pixels

# Past this a stated pixel shape is a broken header, not a picture format.
_WIDEST_PIXEL = 8
# A sample's long side is at most this many times the setting for the short side.
_LONGEST_SIDE = 4


@dataclass(frozen=True)
class Orientation:
    """A turn by a multiple of 90 degrees and a mirroring: swap the axes, then flip them."""

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Orientation:
        """Read from the display matrix of a frame."""
        try:
            entry = cast(Mapping[SideDataType, Buffer], frame.side_data)[SideDataType.DISPLAYMATRIX]
        except KeyError:
            return cls()
        except ValueError:  # PyAV cannot list side data of a kind it has no name for
            return cls.from_rotation(frame.rotation)
        matrix = np.frombuffer(bytes(entry), np.int32)
        return cls.from_matrix(*(int(matrix[place]) for place in (0, 1, 3, 4)))

    @classmethod
    def from_matrix(cls, a: int, b: int, c: int, d: int) -> Orientation:
        """From ``x' = a x + c y``, ``y' = b x + d y``; other angles go to the nearest turn."""
        if abs(b) > abs(a):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    @classmethod
    def from_rotation(cls, degrees: int) -> Orientation:
        """From a counterclockwise angle."""
        quarter = round(degrees / 90) % 4
        return (cls(), cls(True, False, True), cls(False, True, True), cls(True, True, False))[
            quarter
        ]

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after turning; also those before, as swapping undoes itself."""
        return (height, width) if self.transposed else (width, height)

    def apply(self, pixels: Pixels) -> Pixels:
        """A view of ``(H, W, 3)`` pixels as displayed."""
        turned = pixels.swapaxes(0, 1) if self.transposed else pixels
        return turned[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


@dataclass(frozen=True)
class Layout:
    """How the frames of a stream are shown.

    Attributes:
        stored: width and height as coded.
        orientation: how stored frames are turned.
        displayed: width and height, turned, with square pixels.
        sample: width and height of samples, turned, with square pixels.
    """

    stored: tuple[int, int]
    orientation: Orientation
    displayed: tuple[int, int]
    sample: tuple[int, int]

    @classmethod
    def of(cls, frame: VideoFrame, pixel_shape: Fraction | None, short_side: int) -> Layout:
        """From the first frame, the sample aspect ratio, and the cap on samples' short side."""
        turn = Orientation.of(frame)
        stored = turn.size(frame.width, frame.height)
        displayed = turn.size(*square_pixels(frame.width, frame.height, pixel_shape))
        sample = sample_size(displayed, stored, short_side)
        return cls((frame.width, frame.height), turn, displayed, sample)


def square_pixels(width: int, height: int, pixel_shape: Fraction | None) -> tuple[int, int]:
    """Size with square pixels: the width is stretched by the sample aspect ratio, as players do."""
    if not pixel_shape or not 1 / _WIDEST_PIXEL <= pixel_shape <= _WIDEST_PIXEL:
        return width, height
    return max(1, round(width * pixel_shape)), height


def sample_size(displayed: tuple[int, int], stored: tuple[int, int], short: int) -> tuple[int, int]:
    """Size of samples: the displayed aspect, even, within the cap, never larger than stored.

    Args:
        displayed: width and height with square pixels.
        stored: width and height as coded, turned like ``displayed``.
        short: cap on the short side.
    """
    scale = min(
        Fraction(1),
        Fraction(short, min(displayed)),
        Fraction(short * _LONGEST_SIDE, max(displayed)),
        *(Fraction(have, want) for have, want in zip(stored, displayed, strict=True)),
    )
    width, height = (
        min(2 * max(1, round(want * scale / 2)), max(1, have - have % 2))
        for want, have in zip(displayed, stored, strict=True)
    )
    return width, height
