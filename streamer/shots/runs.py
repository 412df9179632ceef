"""From TransNetV2's probabilities to cuts."""

from __future__ import annotations

from collections.abc import Iterator

from streamer.shots.evidence import Cut
from streamer_client.triton import ShotScores

THRESHOLD = 0.5  # as published, for both heads
# A hard cut makes a run of one frame, seldom two; the shortest fade of 0.3 s one of six.
_GRADUAL_FRAMES = 3
# A run is decided when it ends; beyond this it is, so that a strange video cannot hold all back.
_LONGEST_RUN = 250


class CutRuns:
    """Runs of frames above the threshold, each a cut if the single-frame head takes part.

    As in the authors' code, the frame of a hard cut still belongs to the shot that ends. A run of
    the many-hot head (section 3.2) that is longer is a gradual transition: all of it lies between
    the shots.
    """

    def __init__(self, threshold: float = THRESHOLD):
        self._threshold = threshold
        self._start: int | None = None
        self._peak: int | None = None
        self.frames = 0

    @property
    def decided(self) -> int:
        """No later cut ends a shot before this frame."""
        return self.frames if self._start is None else self._start

    def step(self, scores: ShotScores) -> Iterator[Cut]:
        """Take the scores of the next frames."""
        cuts = scores.cut > self._threshold
        for is_cut, is_hot in zip(cuts, cuts | (scores.transition > self._threshold), strict=True):
            if not is_hot:
                yield from self.finish()
            elif self._start is None:
                self._start = self.frames
            if is_cut and self._peak is None:
                self._peak = self.frames
            self.frames += 1
            if self._start is not None and self.frames - self._start >= _LONGEST_RUN:
                yield from self.finish()

    def finish(self) -> Iterator[Cut]:
        """End the open run, if any, at the current frame."""
        start, peak, self._start, self._peak = self._start, self._peak, None, None
        if start is None or peak is None:
            return
        gradual = self.frames - start >= _GRADUAL_FRAMES
        yield Cut(start if gradual else peak + 1, self.frames)
