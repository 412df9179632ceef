"""Towers of an open_clip checkpoint inside Triton. Imports only inside the Python backend."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.models import serving
from streamer.models.cores import model_threads

CHECKPOINT = "checkpoint"
NETWORK = "model.onnx"

Kind = Literal["image", "text"]


class Tower(Protocol):
    """Embeds a batch, in PyTorch or in ONNX Runtime."""

    def __call__(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Unit-length embeddings, float32 ``(N, D)``."""
        ...

    def example(self, size: int) -> NDArray[Any]:
        """A batch of that size."""
        ...


def checkpoint(args: serving.Args) -> Path:
    """The folder of the model's checkpoint; nothing is fetched, whatever it may name."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    return serving.start(args) / CHECKPOINT


def tower(args: serving.Args, kind: Kind) -> Tower:
    """Load a tower in the runtime, in the type, and on the device that the model is served with.

    It has answered once, so that the first request does not wait for what happens only once; on a
    GPU, where each size of a batch has kernels of its own, also with the largest batch.

    Raises:
        UsageError: if the checkpoint is of no use, or the settings contradict each other.
    """
    runtimes: dict[str, Callable[[serving.Args, Kind], Tower]] = {"torch": _torch, "onnx": _onnx}
    loaded = runtimes[serving.parameter(args, "runtime")](args, kind)
    largest = int(json.loads(args["model_config"])["max_batch_size"])
    for size in (1,) if device(args) == "cpu" else (1, largest):
        loaded(loaded.example(size))
    return loaded


def device(args: serving.Args) -> str:
    """The torch device that Triton placed the instance on."""
    on_gpu = args["model_instance_kind"] == "GPU"
    return f"cuda:{args['model_instance_device_id']}" if on_gpu else "cpu"


def _torch(args: serving.Args, kind: Kind) -> Tower:
    folder = checkpoint(args)
    # Not at the top: an exported tower does without torch's memory and seconds.
    import torch

    from streamer.models.open_clip_model import ImageTower, TextTower

    torch.set_num_threads(model_threads())
    make: Any = ImageTower if kind == "image" else TextTower
    loaded: Tower = make(folder, device(args), serving.parameter(args, "dtype"))
    return loaded


def _onnx(args: serving.Args, _: Kind) -> Tower:
    from streamer.models.open_clip_session import OnnxTower

    dtype = serving.parameter(args, "dtype")
    if dtype != "float32":
        raise UsageError(
            f'runtime = "onnx" serves float32, not {dtype}: change dtype, or take runtime = "torch"'
        )
    return OnnxTower(serving.start(args) / NETWORK)
