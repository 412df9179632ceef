"""Checkpoints of real sizes with random weights: speed does not depend on what they know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file


def write_clip(folder: Path, architecture: str) -> Path:
    """Write an open_clip checkpoint of that architecture, such as ``ViT-B-32``, to ``folder``."""
    config = open_clip.get_model_config(architecture)
    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: Any = open_clip.create_model(architecture, pretrained=None)
    tables = {"model_cfg": config, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(tables))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder
