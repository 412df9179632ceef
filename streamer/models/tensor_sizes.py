"""Writes the sizes of an open_clip checkpoint's tensors into the configuration of a model."""

from __future__ import annotations

import re
from pathlib import Path

from streamer.models.open_clip_config import load_config


def write_sizes(config: Path, checkpoint: Path) -> None:
    """Replace open dimensions of ``config``, so that the server refuses what does not fit.

    Raises:
        UsageError: if the checkpoint's own configuration cannot be read.
    """
    described = load_config(checkpoint)
    sizes = {
        "PIXELS": (*described.image_size, 3),
        "TOKENS": (described.context_length,),
        "EMBEDDING": (described.embedding_size,),
    }
    text = config.read_text(encoding="utf-8")
    for tensor, size in sizes.items():
        dims = f"[ {', '.join(map(str, size))} ]"
        text = re.sub(rf'(name: "{tensor}" data_type: \w+ dims: )\[[^]]*\]', rf"\g<1>{dims}", text)
    config.write_text(text, encoding="utf-8")
