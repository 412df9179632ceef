"""Triton model `clip_preprocess` of an open_clip checkpoint: images of any size to pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamer.models import open_clip_serving, serving
from streamer.models.open_clip_preprocess import ImagePreprocess


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Read what the checkpoint's network takes."""
        self._preprocess = ImagePreprocess(open_clip_serving.checkpoint(args))

    def execute(self, requests: list[Any]) -> list[Any]:
        """Resize and crop; each request has images of its own size."""
        return serving.answer_each(requests, self._pixels)

    def _pixels(self, request: Any) -> dict[str, serving.Array]:
        images = serving.array(request, "IMAGE")
        return {"PIXELS": np.stack([self._preprocess(image) for image in images])}
