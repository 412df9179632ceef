"""Shots: runs of frames between two camera cuts or transitions."""

from streamer.shots.assemble import LongShotRule, Shot, find_shots
from streamer.shots.auto import AutoDetector
from streamer.shots.choose import make_detector, small_format
from streamer.shots.content import ContentDetector
from streamer.shots.evidence import Cut, CutDetector, Doubt, Evidence
from streamer.shots.runs import CutRuns
from streamer.shots.transnetv2 import ScoreWindow, TransNetV2Detector

__all__ = [
    "AutoDetector",
    "ContentDetector",
    "Cut",
    "CutDetector",
    "CutRuns",
    "Doubt",
    "Evidence",
    "LongShotRule",
    "ScoreWindow",
    "Shot",
    "TransNetV2Detector",
    "find_shots",
    "make_detector",
    "small_format",
]
