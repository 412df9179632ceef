"""Writes the checkpoints of ``tiny.toml``: ``python -m tests.profiles.write_checkpoints``."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from tests.models.tiny_captioners import write_blip, write_smolvlm
from tests.models.tiny_clip import write_tiny_clip

CHECKPOINTS = Path(__file__).parent / "checkpoints"


def write_checkpoints(folder: Path = CHECKPOINTS) -> None:
    """Replace the checkpoints in ``folder``; equal in every call."""
    shutil.rmtree(folder, ignore_errors=True)
    write_tiny_clip(folder / "clip", text_width=8, dtype=torch.float16)
    write_blip(folder / "blip")
    write_smolvlm(folder / "smolvlm")


if __name__ == "__main__":
    write_checkpoints()
