"""The cut detectors by name."""

from __future__ import annotations

from typing import Literal

from streamer.decode.interface import AVERAGED, SPARSE, SmallFormat
from streamer.shots.auto import AutoDetector
from streamer.shots.content import ContentDetector
from streamer.shots.evidence import CutDetector
from streamer.shots.transnetv2 import ScoreWindow, TransNetV2Detector

Name = Literal["auto", "content", "transnetv2"]


def small_format(name: Name) -> SmallFormat:
    """What a detector wants the small frames to be like."""
    return SPARSE if name == "content" else AVERAGED


def make_detector(
    name: Name,
    content_threshold: float,
    score_window: ScoreWindow,
    rate: float,
) -> CutDetector:
    """A fresh detector for one video.

    Args:
        name: which one.
        content_threshold: score from which ``content`` sees a cut.
        score_window: how ``transnetv2`` reaches its model.
        rate: frames per second of the video.
    """
    if name == "transnetv2":
        return TransNetV2Detector(score_window)
    if name == "content":
        return ContentDetector(content_threshold)
    return AutoDetector(rate)
