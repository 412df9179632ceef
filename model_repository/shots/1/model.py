"""Triton model `shots`: windows of small frames to probabilities of cuts and transitions."""

from __future__ import annotations

from typing import Any

from streamer.models import serving
from streamer.models.shot_scores import ShotScorer


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Load the network."""
        serving.start(args)
        self._scorer = ShotScorer()

    def execute(self, requests: list[Any]) -> list[Any]:
        """Score the windows of all requests."""
        return serving.answer_together(requests, "FRAMES", self._scorer, ["CUT", "TRANSITION"])
