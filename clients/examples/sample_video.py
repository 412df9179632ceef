"""A short video, for examples that are given none."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE, SECONDS = 320, 192, 25, 3


def drifting_stripes(colour: tuple[int, int, int], frame: int) -> NDArray[np.uint8]:
    """Stripes that move to the right, uint8 RGB ``(192, 320, 3)``."""
    wave = np.sin((np.arange(WIDTH) - 4 * frame) / 24)[None, :, None]
    rows = np.linspace(0.6, 1.0, HEIGHT)[:, None, None]
    return ((0.6 + 0.4 * wave) * rows * np.array(colour)).astype(np.uint8)


def write_sample_video(path: Path) -> Path:
    """Two scenes of three seconds with a cut between them; returns ``path``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for colour in ((230, 90, 40), (40, 200, 120)):
            for number in range(RATE * SECONDS):
                picture = VideoFrame.from_ndarray(drifting_stripes(colour, number), "rgb24")
                container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
