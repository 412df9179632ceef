"""Captions are ranked by their mean cosine with the frames."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.models.fan_out import Candidate, best
from streamer.models.matching import matched, texts_of

CANDIDATES = (
    Candidate("sure", "A cat.", 0.9, ""),
    Candidate("right", "A dog.", 0.1, ""),
    Candidate("broken", "", 0.0, "no idea"),
    Candidate("agrees", "A dog.", 0.2, ""),
)
FRAMES = np.array([[1, 0], [0.6, 0.8]], np.float32)
TEXTS = {"A cat.": np.array([0, 1], np.float32), "A dog.": np.array([1, 0], np.float32)}


def test_the_score_is_the_mean_cosine_over_the_frames() -> None:
    scored = matched(CANDIDATES, FRAMES, TEXTS)
    assert [each.score for each in scored] == pytest.approx([0.4, 0.8, 0.0, 0.8])
    assert [each.error for each in scored] == ["", "", "no idea", ""]
    assert best(scored).captioner == "right"


def test_captioners_that_agree_share_one_text() -> None:
    assert texts_of(CANDIDATES) == ["A cat.", "A dog."]
