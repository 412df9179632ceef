"""Triton model `clip_preprocess`: images of any size to the image tower's input."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from streamer.models import serving
from streamer.models.image_tower import central_square


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Check the process."""
        serving.start(args)
        cv2.setNumThreads(1)  # the images are small; the cores belong to the networks

    def execute(self, requests: list[Any]) -> list[Any]:
        """Crop and resize; each request has images of its own size."""
        return serving.answer_each(requests, self._pixels)

    def _pixels(self, request: Any) -> dict[str, serving.Array]:
        images = serving.array(request, "IMAGE")
        return {"PIXELS": np.stack([central_square(image) for image in images])}
