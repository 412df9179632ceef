"""From decoded frames to clips: detector, probes and stitching as settings and models ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property

from streamer.config import SplitSettings
from streamer.decode import FrameBatch, SmallFormat
from streamer.served import ServedModels
from streamer.shots import Shot, find_shots, make_detector, small_format
from streamer.stitch import (
    Clip,
    ProbedShot,
    StitchRules,
    probe_shots,
    rules_for,
    settle_doubts,
    stitch,
)
from streamer_client.triton import TritonModels


class Splitting:
    """How one video is split; each step takes what the step before it gives.

    Args:
        settings: detector, preset and thresholds.
        served: what Triton serves.
        models: the connection to it.
    """

    def __init__(self, settings: SplitSettings, served: ServedModels, models: TritonModels):
        self._settings, self._served, self._models = settings, served, models
        self._detector = served.detector(settings.chosen_detector)

    @cached_property
    def rules(self) -> StitchRules:
        """Of the preset, with its thresholds.

        Raises:
            UsageError: if a threshold is neither set nor served.
        """
        return rules_for(self._settings, self._served.calibrated)

    @property
    def small(self) -> SmallFormat:
        """What the small frames have to be like."""
        return small_format(self._detector)

    def shots(self, batches: Iterable[FrameBatch], rate: float) -> Iterator[Shot]:
        """Shots of a video of ``rate`` frames per second."""
        detector = make_detector(
            self._detector, self.rules.content_threshold, self._models.detect_shots, rate
        )
        return find_shots(batches, detector, self.rules.long_shots)

    def probed(self, shots: Iterable[Shot], dropped: Counter[str]) -> Iterator[ProbedShot]:
        """Shots with embeddings; cuts that might be motion are settled."""
        probed = probe_shots(shots, self._models.embed_images, self.rules.probes, dropped)
        return settle_doubts(probed, self.rules, self._models.detect_shots)

    def clips(
        self, shots: Iterable[ProbedShot], frames_per_clip: int, dropped: Counter[str]
    ) -> Iterator[Clip]:
        """Clips, each as soon as it is closed."""
        return stitch(shots, self.rules, frames_per_clip, dropped)
