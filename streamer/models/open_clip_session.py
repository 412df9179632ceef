"""A tower of an open_clip checkpoint in ONNX Runtime, on the CPU and without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from streamer.models.cores import model_threads

_TYPES = {"tensor(uint8)": np.uint8, "tensor(int64)": np.int64}


class OnnxTower:
    """An exported tower (see ``streamer.models.open_clip_onnx``)."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = model_threads()
        # Idle threads that spin would take the cores from the decoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0]

    def __call__(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Embed pixels, uint8 ``(N, H, W, 3)``, or tokens, int64 ``(N, L)``.

        Returns:
            Unit-length embeddings, float32 ``(N, D)``.

        Raises:
            Exception: ONNX Runtime's own, if the batch has another shape or type, or a token is
                none of the vocabulary's.
        """
        outputs = self._session.run(None, {self._input.name: np.ascontiguousarray(batch)})
        return np.asarray(outputs[0], dtype=np.float32)

    def example(self, size: int) -> NDArray[Any]:
        """A batch of so many zeros."""
        return np.zeros((size, *self._input.shape[1:]), dtype=_TYPES[self._input.type])
