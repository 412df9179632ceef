"""EfficientNet-Lite0 through ONNX Runtime: an embedding and ImageNet logits per image."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from streamer.models.cores import model_threads

SIDE = 224
FEATURES = 1280
# The margin the network's authors cut off before they resize (efficientnet `preprocessing.py`).
CROP_PADDING = 32
# Larger batches are no faster on a CPU and hold more memory.
BATCH = 16

UInt8Array = NDArray[np.uint8]
FloatArray = NDArray[np.float32]


def central_square(image: UInt8Array) -> UInt8Array:
    """The central 224x224 view of an image, as the network's evaluation crops it.

    Takes the central square of ``224 / (224 + 32)`` of the short side and resizes it. Subtracting
    127 and dividing by 128 (``efficientnet_lite_builder.py``) is the first step of the exported
    graph, so that a quarter of the bytes travel between the two models.

    Args:
        image: uint8 RGB, shape ``(H, W, 3)``.

    Returns:
        uint8 RGB, shape ``(224, 224, 3)``.

    Raises:
        ValueError: if the image is empty or of another shape.
    """
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"an image is uint8 (H, W, 3), not {image.dtype} {image.shape}")
    height, width = image.shape[:2]
    side = max(1, round(min(height, width) * SIDE / (SIDE + CROP_PADDING)))
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    # Averaging is the right way down (no aliasing); it is blocky on the way up.
    method = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (SIDE, SIDE), interpolation=method), dtype=np.uint8)


class ImageTower:
    """The exported network (see ``streamer.models.export``)."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or model_threads()
        # Idle threads that spin would take the cores from the decoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def features_and_logits(self, pixels: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Run the network.

        Args:
            pixels: uint8 RGB, shape ``(N, 224, 224, 3)``, from ``central_square``.

        Returns:
            float32 pooled features ``(N, 1280)`` and ImageNet-1k logits ``(N, 1000)``.
        """
        parts = [
            self._session.run(["FEATURES", "LOGITS"], {"PIXELS": pixels[first : first + BATCH]})
            for first in range(0, len(pixels), BATCH)
        ]
        return (
            np.concatenate([features for features, _ in parts]),
            np.concatenate([logits for _, logits in parts]),
        )

    def embed(self, pixels: UInt8Array) -> FloatArray:
        """Unit-length embeddings, float32 ``(N, 1280)``, of uint8 ``(N, 224, 224, 3)``."""
        features, _ = self.features_and_logits(pixels)
        # ReLU6 features of a real picture are never all zero; the floor only guards the division.
        lengths = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
        return np.asarray(features / lengths, dtype=np.float32)
