"""Shots: runs of frames between two camera cuts or transitions."""

from streamer.shots.assemble import LongShotRule, Shot, find_shots
from streamer.shots.choose import make_detector
from streamer.shots.content import ContentDetector
from streamer.shots.evidence import Cut, CutDetector, Evidence
from streamer.shots.transnetv2 import TransNetV2Detector

__all__ = [
    "ContentDetector",
    "Cut",
    "CutDetector",
    "Evidence",
    "LongShotRule",
    "Shot",
    "TransNetV2Detector",
    "find_shots",
    "make_detector",
]
