"""TransNetV2 on Triton: learned cuts (arXiv 2008.04838).

The published protocol: windows of 100 frames with a stride of 50, of which frames 25 to 75 are
kept; the first and the last frame are repeated as padding; a frame is a cut where the
single-frame head exceeds 0.5. How far a gradual transition reaches says the many-hot head.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import numpy as np

from streamer.decode.interface import Pixels
from streamer.shots.evidence import Cut, Evidence
from streamer.shots.runs import THRESHOLD, CutRuns
from streamer_client.triton import ShotScores

WINDOW, STRIDE, MARGIN = 100, 50, 25
WINDOWS_IN_FLIGHT = 8

ScoreWindow = Callable[[Pixels], "Future[ShotScores]"]


class TransNetV2Detector:
    """Streams cuts out of small frames.

    Args:
        score_window: sends one window, uint8 ``(100, 27, 48, 3)``, and promises its scores.
        threshold: probability from which a frame is a cut.
    """

    def __init__(self, score_window: ScoreWindow, threshold: float = THRESHOLD):
        self._score_window = score_window
        self._runs = CutRuns(threshold)
        self._pending: deque[Future[ShotScores]] = deque()
        self._buffer: Pixels | None = None
        self._fed = 0
        self._padding_to_skip = 0

    def feed(self, small: Pixels) -> Evidence:
        """Take the next frames, uint8 RGB ``(N, 27, 48, 3)``."""
        if len(small) == 0:
            return Evidence((), self._runs.decided)
        if self._buffer is None:
            self._buffer = np.repeat(small[:1], MARGIN, axis=0)
        self._fed += len(small)
        self._buffer = np.concatenate([self._buffer, small])
        self._send_full_windows()
        return Evidence(tuple(self._collect(WINDOWS_IN_FLIGHT)), self._runs.decided)

    def finish(self) -> Evidence:
        """Pad the tail with the last frame and decide the rest."""
        if self._buffer is None:
            return Evidence((), 0)
        self._pad_tail()
        self._send_full_windows()
        cuts = (*self._collect(0), *self._runs.finish())
        return Evidence(cuts, self._fed)

    def _pad_tail(self) -> None:
        assert self._buffer is not None  # noqa: S101 - narrows the type
        padding = MARGIN + (-self._fed) % STRIDE
        tail = np.repeat(self._buffer[-1:], padding, axis=0)
        self._buffer = np.concatenate([self._buffer, tail])

    def _send_full_windows(self) -> None:
        assert self._buffer is not None  # noqa: S101 - narrows the type
        while len(self._buffer) >= WINDOW:
            self._pending.append(self._score_window(self._buffer[:WINDOW]))
            self._buffer = self._buffer[STRIDE:]

    def _collect(self, allowed_in_flight: int) -> Iterator[Cut]:
        """Scores that are there; waits only where more windows are in flight than allowed."""
        while self._pending and (len(self._pending) > allowed_in_flight or self._pending[0].done()):
            end = MARGIN + min(STRIDE, self._fed - self._runs.frames)
            yield from self._runs.step(self._pending.popleft().result().within(MARGIN, end))
