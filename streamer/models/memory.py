"""Whether a profile's models fit a GPU, and the arithmetic of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streamer.errors import UsageError
from streamer.models.checkpoint import BYTES, Checkpoint
from streamer.models.weights import count_parameters

GIB = 1 << 30
# Each instance is a process of its own: CUDA's context, its workspaces, and activations.
PROCESS_GIB = 1.0


@dataclass(frozen=True)
class Need:
    """GPU memory of one model.

    Attributes:
        parameters: of the network.
        width: bytes of one.
    """

    model: str
    parameters: int
    width: int
    instances: int

    @property
    def gib(self) -> float:
        """Weights and a process for each instance, in GiB."""
        return self.instances * (self.parameters * self.width / GIB + PROCESS_GIB)

    def __str__(self) -> str:
        return (
            f"{self.model} {self.instances} x ({self.parameters / 1e6:.0f} M x {self.width} bytes "
            f"+ {PROCESS_GIB:g} GiB) = {self.gib:.1f} GiB"
        )


def gpu_need(model: str, checkpoint: Checkpoint) -> Need:
    """What a model takes on a GPU.

    Raises:
        UsageError: if the checkpoint is a folder without usable weights.
    """
    millions = checkpoint.parameters_millions
    folder = checkpoint.folder
    counted = count_parameters(folder) if folder else round((millions or 0) * 1e6)
    return Need(model, counted, BYTES[checkpoint.dtype], checkpoint.instances)


def check_fits(checkpoints: Mapping[str, Checkpoint], gpu_gib: float | None = None) -> None:
    """Refuse models that one GPU cannot hold together.

    Args:
        checkpoints: by served name.
        gpu_gib: memory of the GPU in GiB; by default this machine's first one, if it has one.

    Raises:
        UsageError: with the sum.
    """
    gpu_gib = gpu_gib or (_first_gpu_gib() if checkpoints else None)
    if gpu_gib is None:
        return
    needs = [gpu_need(name, each) for name, each in checkpoints.items() if each.device != "cpu"]
    total = sum(need.gib for need in needs)
    if total > gpu_gib:
        raise UsageError(
            f"the models need {total:.1f} GiB and the GPU has {gpu_gib:.1f}: "
            f"{'; '.join(map(str, needs))}. Take a smaller dtype or checkpoint, fewer instances, "
            'or device = "cpu" for one of them'
        )


def _first_gpu_gib() -> float | None:
    import torch

    if not torch.cuda.is_available():
        return None
    return float(torch.cuda.get_device_properties(0).total_memory) / GIB
