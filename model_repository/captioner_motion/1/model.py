"""Triton model `captioner_motion`: how a clip moves, its light and its colours."""

from __future__ import annotations

from typing import Any

import cv2

from streamer.models import serving
from streamer.models.motion import describe


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Check the process."""
        serving.start(args)
        cv2.setNumThreads(1)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Caption each clip."""
        return serving.answer_captions(requests, describe)
