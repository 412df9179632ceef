"""Max running distance: how much the picture changes within a clip.

Panda-70M (arXiv 2402.19479, section 3.1, table 2) measures how consistent a clip is by its max
running LPIPS: frames one second apart, and of all neighbouring pairs the largest perceptual
distance. Here it is the same with another distance: Euclidean, between unit embeddings of the
served ``clip`` model, so 0 to 2. Figures of different embedders do not compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.config import Settings
from streamer.decode import Sample, open_video
from streamer.evaluate.boundaries import Frames
from streamer.in_flight import InFlight
from streamer_client.triton import TritonModels

_SAMPLES_PER_SECOND = 1.0
_IN_FLIGHT = 8


@dataclass(frozen=True)
class RunningDistances:
    """Distances between neighbouring samples of a video.

    Attributes:
        frames: index of each sampled frame, int64 ``(S,)``.
        distances: from each sample to the next, float64 ``(S - 1,)``.
    """

    frames: NDArray[np.int64]
    distances: NDArray[np.float64]

    def largest_within(self, clip: Frames) -> float | None:
        """The largest distance between neighbours that both lie in ``clip``; ``None`` if none."""
        first, end = np.searchsorted(self.frames, (clip.start, clip.end))
        inside = self.distances[first : max(first, end - 1)]
        return float(inside.max()) if inside.size else None


def measure_running(
    path: Path, models: TritonModels, settings: Settings, advance: Callable[[int], None]
) -> RunningDistances:
    """Embed a frame per second of a whole video, in a pass of its own.

    Args:
        path: the video.
        models: the connection to Triton.
        settings: how to decode.
        advance: told how many frames were decoded since it was called last.
    """
    settings = settings.with_section("decode", sample_rate=_SAMPLES_PER_SECOND)
    frames: list[int] = []
    distances: list[float] = []
    last: NDArray[np.float32] | None = None
    for frame, embedding in _embedded(path, models, settings, advance):
        if last is not None:
            distances.append(float(np.linalg.norm(embedding - last)))
        frames.append(frame)
        last = embedding
    return RunningDistances(np.array(frames, np.int64), np.array(distances, np.float64))


def _embedded(
    path: Path, models: TritonModels, settings: Settings, advance: Callable[[int], None]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    asked: InFlight[int, NDArray[np.float32]] = InFlight(_IN_FLIGHT)
    for sample in _samples(path, settings, advance):
        asked.add(sample.index, models.embed_images(sample.pixels[None]))
        yield from ((frame, answer[0]) for frame, answer in asked.ready())
    yield from ((frame, answer[0]) for frame, answer in asked.drain())


def _samples(path: Path, settings: Settings, advance: Callable[[int], None]) -> Iterator[Sample]:
    with closing(open_video(path, settings.decode)) as video:
        for batch in video.batches():
            yield from batch.samples
            advance(len(batch))
