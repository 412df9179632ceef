"""Triton model `clip_image`: the image tower, to unit-length embeddings."""

from __future__ import annotations

from typing import Any

from streamer.models import serving
from streamer.models.image_tower import ImageTower


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Load the network."""
        self._tower = ImageTower(serving.start(args) / "model.onnx")

    def execute(self, requests: list[Any]) -> list[Any]:
        """Embed the images of all requests."""
        return serving.answer_together(
            requests, "PIXELS", lambda pixels: [self._tower.embed(pixels)], ["EMBEDDING"]
        )
