"""Tiny checkpoints of open_clip's real architecture, with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file

SIDE = 64
EMBEDDING = 32
CONTEXT = 40
# The BPE vocabulary that comes in open_clip's wheel needs no tokenizer file.
VOCABULARY = 49408

# Each an embedding of its own, except the two that are blank.
TEXTS = [
    "a dog runs over a meadow",
    "",
    "  \t\n ",
    "It's 12 o'clock & <b>they're</b> here &amp;amp; there",
    "ein Mädchen fährt Fahrrad, naïve café",
    "\N{DOG FACE}\N{ZERO WIDTH JOINER}\N{FIRE}" * 3,
    "a <start_of_text> in the middle",
    "ä½ å¥½ mojibake Ã©",
    b"not \xff\xfe UTF-8 \xc3".decode(errors="replace"),
    "null \0 inside",
]


def write_tiny_clip(
    folder: Path,
    *,
    image_size: int | tuple[int, int] = SIDE,
    custom_text: bool = False,
    text_width: int = 32,
    dtype: torch.dtype = torch.float32,
    **preprocess: Any,
) -> Path:
    """Write the checkpoint to ``folder``; equal in every call.

    Args:
        folder: does not exist yet.
        image_size: of the network's input; a pair is height and width.
        custom_text: whether it is built as SigLIP is, the image tower by timm and the text tower
            a module of its own that sees all tokens at once.
        text_width: of the text tower, whose vocabulary is most of the file.
        dtype: what the weights are stored in.
        preprocess: of the table ``preprocess_cfg``.

    Returns:
        ``folder``.
    """
    model: dict[str, Any] = {
        "embed_dim": EMBEDDING,
        "vision_cfg": {
            "image_size": image_size,
            "layers": 2,
            "width": 64,
            "head_width": 32,
            "patch_size": 16,
        },
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": VOCABULARY,
            "width": text_width,
            "heads": 2,
            "layers": 2,
        },
    }
    if custom_text:
        model["vision_cfg"] = {"image_size": image_size, "timm_model_name": "test_vit"}
        model["text_cfg"] |= {"no_causal_mask": True, "pool_type": "last", "proj_bias": True}
    folder.mkdir(parents=True)
    config = {
        "model_cfg": model | {"custom_text": custom_text},
        "preprocess_cfg": preprocess,
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        make = open_clip.CustomTextCLIP if custom_text else open_clip.CLIP
        weights = make(**model).to(dtype).state_dict()
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder
