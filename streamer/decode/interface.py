"""What a decoder gives: batches of frames with exact presentation times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SMALL_HEIGHT, SMALL_WIDTH = 27, 48  # the input of TransNetV2 (arXiv 2008.04838, section 3)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class SmallFormat:
    """What the small frames are like that a detector looks at.

    Attributes:
        height: in pixels.
        width: in pixels.
        is_averaged: whether a pixel is the mean of what it stands for, or one pixel of it.
    """

    height: int
    width: int
    is_averaged: bool


AVERAGED = SmallFormat(SMALL_HEIGHT, SMALL_WIDTH, is_averaged=True)
SPARSE = SmallFormat(2 * SMALL_HEIGHT, 2 * SMALL_WIDTH, is_averaged=False)


@dataclass(frozen=True)
class VideoInfo:
    """What the container says of the video stream; sizes as displayed (rotation applied)."""

    width: int
    height: int
    average_rate: Fraction
    time_base: Fraction
    duration: Fraction | None
    codec: str


@dataclass(frozen=True)
class Sample:
    """A frame kept for the models.

    Attributes:
        index: presentation index of the frame.
        time: exact presentation time in seconds.
        pixels: uint8 RGB, shape ``(H, W, 3)``.
    """

    index: int
    time: Fraction
    pixels: Pixels


@dataclass(frozen=True)
class FrameBatch:
    """Consecutive frames in presentation order.

    Attributes:
        first_index: presentation index of the first frame.
        times: start of each frame in ticks of ``time_base``, int64, shape ``(N + 1,)``; the last
            entry is the end of the last frame, so frame ``i`` covers ``[times[i], times[i+1])``.
        time_base: seconds per tick.
        small: uint8 RGB, shape ``(N, 27, 48, 3)``, or ``(N, 54, 96, 3)`` if sparse.
        samples: the frames of this batch that were sampled, in order.

    Raises:
        ValueError: if the shapes do not fit or time does not advance.
    """

    first_index: int
    times: NDArray[np.int64]
    time_base: Fraction
    small: Pixels
    samples: tuple[Sample, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.times) - 1
        shapes = [(count, each.height, each.width, 3) for each in (AVERAGED, SPARSE)]
        if self.small.shape not in shapes or self.small.dtype != np.uint8:
            raise ValueError(
                f"small frames are {self.small.dtype} {self.small.shape}, not uint8 {shapes[0]}"
            )
        if np.any(np.diff(self.times) <= 0):
            raise ValueError("presentation times do not advance")

    def __len__(self) -> int:
        return len(self.small)

    @property
    def end_index(self) -> int:
        """One past the presentation index of the last frame."""
        return self.first_index + len(self)


class VideoStream(Protocol):
    """An open video. Closing it frees the decoder; iterate ``batches`` once."""

    info: VideoInfo

    @property
    def decoder(self) -> str:
        """``pyav``, ``dali-cpu`` or ``dali-gpu``; the latter with ``+pyav`` once PyAV goes on."""
        ...

    @property
    def decoder_reason(self) -> str | None:
        """Why PyAV decodes, or goes on, in one line; ``None`` while DALI decodes."""
        ...

    def batches(self) -> Iterator[FrameBatch]:
        """Decode from start to end.

        Raises:
            JobRejected: if a limit on length or size is passed on the way.
            JobFailed: if nothing can be decoded.
        """
        ...

    @property
    def damage(self) -> str | None:
        """After ``batches`` ended: what could not be decoded, in one line, or ``None``."""
        ...

    def close(self) -> None:
        """Free the decoder."""
        ...
