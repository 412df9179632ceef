"""Triton model `captioner_tags`: what a clip shows, by ImageNet classes."""

from __future__ import annotations

from typing import Any

import cv2

from streamer.models import serving
from streamer.models.image_tower import ImageTower
from streamer.models.tags import Tagger


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Load the network."""
        self._tagger = Tagger(ImageTower(serving.start(args) / "model.onnx"))
        cv2.setNumThreads(1)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Caption each clip."""
        return serving.answer_captions(requests, self._tagger)
