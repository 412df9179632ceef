"""Checkpoints of real sizes with random weights: speed does not depend on what they know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
)

WIDTHS = {
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
}


def write_clip(folder: Path, architecture: str) -> Path:
    """Write an open_clip checkpoint of that architecture, such as ``ViT-B-32``, to ``folder``."""
    return _write_clip(folder, open_clip.get_model_config(architecture))


def write_small_clip(folder: Path) -> Path:
    """Write an open_clip checkpoint that takes next to no time to run."""
    config = open_clip.get_model_config("ViT-S-32")
    for tower in ("vision_cfg", "text_cfg"):
        config[tower] |= {"layers": 1, "width": 64}
    config["text_cfg"]["heads"] = 1
    config["vision_cfg"]["image_size"] = 64
    return _write_clip(folder, config)


def _write_clip(folder: Path, config: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: Any = open_clip.CLIP(**config)
    tables = {"model_cfg": config, "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(tables))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def write_captioner(folder: Path, seed: int) -> Path:
    """Write a BLIP of about half the width and depth of its base size to ``folder``."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{i}" for i in range(8000))]
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    text = WIDTHS | {
        "vocab_size": len(tokenizer),
        "encoder_hidden_size": WIDTHS["hidden_size"],
        "bos_token_id": tokenizer.convert_tokens_to_ids("[DEC]"),
        "eos_token_id": tokenizer.convert_tokens_to_ids("[SEP]"),
        "sep_token_id": tokenizer.convert_tokens_to_ids("[SEP]"),
        "pad_token_id": tokenizer.convert_tokens_to_ids("[PAD]"),
    }
    config = BlipConfig(text_config=text, vision_config=WIDTHS | {"image_size": 224})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BlipForConditionalGeneration(config)
    model.save_pretrained(folder)
    pictures = BlipImageProcessor(size={"height": 224, "width": 224})
    BlipProcessor(pictures, tokenizer).save_pretrained(folder)
    return folder
