"""Stitching: neighbouring shots that show one event become a clip."""

from streamer.stitch.clips import Clip, stitch
from streamer.stitch.doubts import settle_doubts
from streamer.stitch.given import cut_given_spans
from streamer.stitch.probe import ProbedShot, probe_shots
from streamer.stitch.rules import StitchRules, rules_for

__all__ = [
    "Clip",
    "ProbedShot",
    "StitchRules",
    "cut_given_spans",
    "probe_shots",
    "rules_for",
    "settle_doubts",
    "stitch",
]
