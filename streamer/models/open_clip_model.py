"""The two towers of an open_clip checkpoint in PyTorch, each without the other's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import normalize

from streamer.errors import UsageError
from streamer.models.open_clip_config import Channels, load_config
from streamer.models.weights import count_parameters

Dtype = Literal["float32", "bfloat16", "float16"]
FloatArray = NDArray[np.float32]

# On a CPU larger batches are slower, since memory must be filled anew, and hold more of it.
CPU_BATCH = 32

# open_clip keeps the norms in float32 under these, as the checkpoints were trained.
_PRECISIONS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


class ImageNetwork(nn.Module):
    """Pixels, uint8 ``(N, H, W, 3)``, to unit embeddings, float32 ``(N, D)``.

    Args:
        model: the CLIP, of which the image tower is kept.
        mean, deviation: of RGB values from 0 to 1.
        dtype: what the tower takes.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(
        self, model: nn.Module, mean: Channels, deviation: Channels, dtype: torch.dtype
    ) -> None:
        super().__init__()
        parts = (*model.named_children(), *model.named_parameters(recurse=False))
        _drop(model, [name for name, _ in parts if name != "visual"])
        self.model: Any = model
        self.dtype = dtype
        self.register_buffer("mean", torch.tensor(mean).reshape(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).reshape(3, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalise and embed."""
        images = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.deviation
        features = self.model.encode_image(images.to(self.dtype), normalize=False)
        return normalize(features.float(), dim=-1)


class TextNetwork(nn.Module):
    """Tokens, int64 ``(N, L)``, to unit embeddings, float32 ``(N, D)``.

    Args:
        model: the CLIP, of which the text tower is kept.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        # A CoCa's decoder writes captions; embeddings do not need it.
        _drop(model, [name for name, _ in model.named_children() if name in _NOT_TEXT])
        self.model: Any = model

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Embed."""
        return normalize(self.model.encode_text(tokens, normalize=False).float(), dim=-1)


_NOT_TEXT = {"visual", "text_decoder"}


class ImageTower:
    """Embeds pictures.

    Args:
        checkpoint: folder of the checkpoint.
        device: a torch device.
        dtype: what the weights are served in.

    Raises:
        UsageError: if the checkpoint is incomplete, corrupt, pickled, or unknown to open_clip.
    """

    def __init__(self, checkpoint: Path, device: str = "cpu", dtype: Dtype = "float32") -> None:
        self._network = image_network(checkpoint, dtype).to(device)
        self._shape = (*load_config(checkpoint).image_size, 3)

    def __call__(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Embed pictures.

        Args:
            pixels: uint8 RGB, shape ``(N, H, W, 3)``, from ``ImagePreprocess``.

        Returns:
            Unit-length embeddings, float32 ``(N, D)``.

        Raises:
            ValueError: if the pixels have another shape or type.
        """
        if pixels.shape[1:] != self._shape or pixels.dtype != np.uint8:
            raise ValueError(
                f"pixels are {pixels.dtype} {pixels.shape}, not uint8 N x {self._shape}"
            )
        device = self._network.mean.device
        cuts = range(CPU_BATCH, len(pixels), CPU_BATCH) if device.type == "cpu" else ()
        parts = np.split(pixels, cuts)
        return np.concatenate([_embed(self._network, part, device) for part in parts])

    def example(self, size: int) -> NDArray[np.uint8]:
        """A batch of so many black pictures."""
        return np.zeros((size, *self._shape), dtype=np.uint8)


class TextTower:
    """Embeds texts.

    Args:
        checkpoint: folder of the checkpoint.
        device: a torch device.
        dtype: what the weights are served in.

    Raises:
        UsageError: if the checkpoint is incomplete, corrupt, pickled, or unknown to open_clip.
    """

    def __init__(self, checkpoint: Path, device: str = "cpu", dtype: Dtype = "float32") -> None:
        self._device = torch.device(device)
        self._network = text_network(checkpoint, dtype).to(self._device)
        self._context = load_config(checkpoint).context_length
        model = self._network.model
        self._vocabulary = int(getattr(model, "text", model).vocab_size)

    def __call__(self, tokens: NDArray[np.int64]) -> FloatArray:
        """Embed texts.

        Args:
            tokens: int64, shape ``(N, L)``, from ``Tokenizer``.

        Returns:
            Unit-length embeddings, float32 ``(N, D)``.

        Raises:
            ValueError: if the tokens have another shape, or are none of the vocabulary's.
        """
        if tokens.shape[1:] != (self._context,):
            raise ValueError(f"tokens have the shape {tokens.shape}, not N x {self._context}")
        # On a GPU a look-up out of range ends every later call of the process.
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < self._vocabulary:
            raise ValueError(f"tokens are from 0 to {self._vocabulary - 1}")
        return _embed(self._network, tokens, self._device)

    def example(self, size: int) -> NDArray[np.int64]:
        """A batch of so many texts of nothing."""
        return np.zeros((size, self._context), dtype=np.int64)


def image_network(checkpoint: Path, dtype: Dtype = "float32") -> ImageNetwork:
    """The image tower's network, on the CPU.

    Raises:
        UsageError: see ``ImageTower``.
    """
    config = load_config(checkpoint).preprocess_cfg
    model = _loaded(checkpoint, dtype)
    return ImageNetwork(model, config.mean, config.std, getattr(torch, dtype)).eval()


def text_network(checkpoint: Path, dtype: Dtype = "float32") -> TextNetwork:
    """The text tower's network, on the CPU.

    Raises:
        UsageError: see ``TextTower``.
    """
    return TextNetwork(_loaded(checkpoint, dtype)).eval()


def _loaded(checkpoint: Path, dtype: Dtype) -> nn.Module:
    """The whole CLIP. Its safetensors are checked first: open_clip would also take a pickle."""
    load_config(checkpoint)
    count_parameters(checkpoint)
    try:
        model: nn.Module = open_clip.create_model(
            f"local-dir:{checkpoint}", precision=_PRECISIONS[dtype], require_pretrained=True
        )
    except Exception as error:
        cause = " ".join(str(error).split())[:200]
        raise UsageError(
            f"open_clip cannot load {checkpoint} ({type(error).__name__}: {cause}): its "
            "configuration and its weights have to belong together; fetch both again"
        ) from error
    return model.requires_grad_(False)


def _drop(model: nn.Module, names: list[str]) -> None:
    for name in names:
        delattr(model, name)


def _embed(network: nn.Module, batch: NDArray[Any], device: torch.device) -> FloatArray:
    # The network only reads its input, which may be a read-only view of a request.
    inputs = torch.from_numpy(np.require(batch, requirements=["C", "W"]))
    with torch.inference_mode():
        return np.asarray(network(inputs.to(device)).cpu().numpy(), dtype=np.float32)
