"""Triton model `clip_image` of an open_clip checkpoint: pixels to unit-length embeddings."""

from __future__ import annotations

from typing import Any

from streamer.models import open_clip_serving, serving


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Load the image tower."""
        self._tower = open_clip_serving.tower(args, "image")

    def execute(self, requests: list[Any]) -> list[Any]:
        """Embed the images of all requests."""
        return serving.answer_together(
            requests, "PIXELS", lambda pixels: [self._tower(pixels)], ["EMBEDDING"]
        )
