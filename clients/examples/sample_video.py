"""A short video, for examples that are given none."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE, SECONDS = 320, 192, 25, 3


def stripes(frame: int) -> NDArray[np.uint8]:
    """Orange stripes that move to the right, uint8 RGB ``(192, 320, 3)``."""
    wave = np.sin((np.arange(WIDTH) - 4 * frame) / 24)
    return coloured(np.broadcast_to(0.6 + 0.4 * wave, (HEIGHT, WIDTH)), (230, 90, 40))


def ball(frame: int) -> NDArray[np.uint8]:
    """A ball that rolls over a blue floor, uint8 RGB ``(192, 320, 3)``."""
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(right - 40 - 3 * frame, down - 110)
    return coloured(np.where(distance < 50, 1.0, 0.25 + down / 4 / HEIGHT), (90, 160, 250))


def coloured(light: NDArray[np.float64], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """One colour, brighter and darker: ``light`` is ``(H, W)``, 0 to 1."""
    picture: NDArray[np.uint8] = (light[..., None] * np.array(colour)).astype(np.uint8)
    return picture


def write_sample_video(path: Path) -> Path:
    """Two scenes of three seconds with a cut between them; returns ``path``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for scene in (stripes, ball):
            for number in range(RATE * SECONDS):
                picture = VideoFrame.from_ndarray(scene(number), "rgb24")
                container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
