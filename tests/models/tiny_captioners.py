"""Tiny checkpoints of captioners: true architectures and processors, random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    CLIPImageProcessor,
    GitConfig,
    GitForCausalLM,
    GitProcessor,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

CORPUS = (
    "a dog runs over the street while two men sit in a red house near green trees and the sea "
    "describe what happens in this video in one sentence known about data not instructions"
)
SIDE = 32
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
QWEN_TURN = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for part in m.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

SMOL_TURN = (
    "<|im_start|>{% for m in messages %}{{ m.role | capitalize }}:{% for part in m.content %}"
    "{% if part.type == 'image' %}<image>{% elif part.type == 'video' %}<video>"
    "{% else %} {{ part.text }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


def write_blip(folder: Path) -> Path:
    """A BLIP: a picture's encoder and a text decoder that looks at it."""
    tokenizer = _word_pieces()
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in ("[DEC]", "[SEP]", "[PAD]")}
    text = SMALL | {
        "vocab_size": len(tokenizer),
        "encoder_hidden_size": 32,
        "projection_dim": 16,
        "max_position_embeddings": 64,
        "bos_token_id": ids["[DEC]"],
        "eos_token_id": ids["[SEP]"],
        "sep_token_id": ids["[SEP]"],
        "pad_token_id": ids["[PAD]"],
    }
    vision = SMALL | {"image_size": SIDE, "patch_size": 16}
    config = BlipConfig(
        text_config=text, vision_config=vision, projection_dim=16, image_text_hidden_size=16
    )
    pictures = BlipImageProcessor(size={"height": SIDE, "width": SIDE})
    return _save(folder, BlipForConditionalGeneration, config, BlipProcessor(pictures, tokenizer))


def write_git(folder: Path) -> Path:
    """A GIT: one decoder over the picture's patches and the text."""
    tokenizer = _word_pieces()
    config = GitConfig(
        vision_config={**SMALL, "image_size": SIDE, "patch_size": 16},
        **SMALL,
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    pictures = CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    return _save(folder, GitForCausalLM, config, GitProcessor(pictures, tokenizer))


def write_qwen(folder: Path) -> Path:
    """A Qwen2.5-VL: a language model that reads patches of pictures and videos of any size."""
    tokenizer = _byte_pairs(
        *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"),
        *("<|image_pad|>", "<|video_pad|>"),
    )
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in _QWEN_MARKS}
    config = Qwen2_5_VLConfig(
        text_config=SMALL
        | {
            "vocab_size": len(tokenizer),
            "num_key_value_heads": 1,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3]},
            "max_position_embeddings": 2048,
            "bos_token_id": ids["endoftext"],
            "eos_token_id": ids["im_end"],
            "pad_token_id": ids["endoftext"],
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 32,
            "fullatt_block_indexes": [1],
            "window_size": 56,
        },
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"],
    )
    size = {"shortest_edge": 28 * 28, "longest_edge": 56 * 56}
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(size=size),
        tokenizer,
        Qwen2VLVideoProcessor(size=size),
        chat_template=QWEN_TURN,
    )
    return _save(folder, Qwen2_5_VLForConditionalGeneration, config, processor)


def write_smolvlm(folder: Path) -> Path:
    """A SmolVLM: a small language model that reads each frame with its time before it."""
    marks = {
        "fake_image_token": "<fake_token_around_image>",
        "image_token": "<image>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
        "video_token": "<video>",
    }
    tokenizer = _byte_pairs("<|endoftext|>", "<|im_start|>", "<|im_end|>", *marks.values())
    for name, mark in marks.items():
        setattr(tokenizer, name, mark)
    ids = {mark: tokenizer.convert_tokens_to_ids(mark) for mark in ("<image>", "<|endoftext|>")}
    text = SMALL | {
        "model_type": "llama",
        "vocab_size": len(tokenizer),
        "num_key_value_heads": 1,
        "max_position_embeddings": 4096,
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": tokenizer.convert_tokens_to_ids("<end_of_utterance>"),
        "pad_token_id": ids["<|endoftext|>"],
    }
    vision = SMALL | {"image_size": SIDE, "patch_size": 8}
    config = SmolVLMConfig(
        text_config=text,
        vision_config=vision,
        scale_factor=2,
        image_token_id=ids["<image>"],
    )
    size = {"longest_edge": SIDE}
    processor = SmolVLMProcessor(
        SmolVLMImageProcessor(size=size, max_image_size=size, do_image_splitting=False),
        tokenizer,
        SmolVLMVideoProcessor(
            size=size, max_image_size=size, fps=1, num_frames=8, do_sample_frames=False
        ),
        image_seq_len=(SIDE // 8) ** 2 // 4,
        chat_template=SMOL_TURN,
    )
    return _save(folder, SmolVLMForConditionalGeneration, config, processor)


_QWEN_MARKS = ("endoftext", "im_end", "image_pad", "video_pad", "vision_start", "vision_end")

FAMILIES: dict[str, Callable[[Path], Path]] = {
    "blip": write_blip,
    "git": write_git,
    "qwen": write_qwen,
    "smolvlm": write_smolvlm,
}


def _word_pieces() -> Any:
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(CORPUS.split())]
    pieces += [*letters, *(f"##{letter}" for letter in letters), *".,:!?'\"()"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = BertTokenizer(vocab=vocabulary)
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    return tokenizer


def _byte_pairs(*marks: str) -> Any:
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    trained.train_from_iterator([CORPUS] * 8, trainer)
    trained.add_special_tokens([AddedToken(mark, special=True) for mark in marks])
    made = Qwen2Tokenizer(
        tokenizer_object=trained,
        extra_special_tokens={"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"},
    )
    made.eos_token, made.pad_token = "<|im_end|>", "<|endoftext|>"
    return made


def _save(folder: Path, kind: Any, config: Any, processor: Any) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(config).eval()
    # Larger weights than those training starts from: answers that depend on what is seen.
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                weights.mul_(30.0 if "crossattention" in name or "patch_emb" in name else 4.0)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
