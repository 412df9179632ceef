"""Checkpoints' files: which of them are served, and what their headers say."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from streamer.errors import UsageError

# Safetensors hold numbers alone; a pickle may run code when it is loaded.
SERVED = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "*.gz")
_LONGEST_HEADER = 100_000_000


def served_files(folder: Path) -> list[Path]:
    """The files of a checkpoint that are served: safetensors, settings, tokenizers.

    Raises:
        UsageError: if the folder is missing, or has no safetensors.
    """
    if not folder.is_dir():
        raise UsageError(f"no checkpoint at {folder}: there is no such folder")
    found = sorted({file for pattern in SERVED for file in folder.glob(pattern)})
    if not any(file.suffix == ".safetensors" for file in found):
        pickles = sorted(file.name for file in folder.glob("*") if file.suffix in _PICKLES)
        what = f"only the pickle {pickles[0]}" if pickles else "no weights"
        raise UsageError(
            f"{folder} holds {what}: only safetensors are served; convert it with "
            "safetensors.torch.save_file, or take a revision that has them"
        )
    return found


_PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}


def count_parameters(folder: Path) -> int:
    """How many numbers a checkpoint's safetensors hold, by their headers.

    Raises:
        UsageError: naming the file that is cut short or no safetensors file.
    """
    files = [file for file in served_files(folder) if file.suffix == ".safetensors"]
    tensors = [tensor for file in files for tensor in _header(file).values()]
    return sum(math.prod(tensor["shape"]) for tensor in tensors)


def _header(file: Path) -> dict[str, Any]:
    """The table of a safetensors file: an 8-byte length, JSON, then the numbers."""
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if not 0 < length <= _LONGEST_HEADER:
                raise ValueError(f"a header of {length} bytes")
            header: dict[str, Any] = json.loads(opened.read(length))
        header.pop("__metadata__", None)
        end = 8 + length + max(tensor["data_offsets"][1] for tensor in header.values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} is no safetensors file ({error}): fetch it again") from error
    if file.stat().st_size != end:
        raise UsageError(f"{file} is cut short or too long: fetch it again")
    return header
