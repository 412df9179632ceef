"""Triton model `clip_text_tower` of an open_clip checkpoint: tokens to unit-length embeddings."""

from __future__ import annotations

from typing import Any

from streamer.models import open_clip_serving, serving


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Load the text tower."""
        self._tower = open_clip_serving.tower(args, "text")

    def execute(self, requests: list[Any]) -> list[Any]:
        """Embed the texts of all requests."""
        return serving.answer_together(
            requests, "TOKENS", lambda tokens: [self._tower(tokens)], ["EMBEDDING"]
        )
