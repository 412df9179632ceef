"""What a captioner is shown: pictures or videos, with a plain prompt or as a turn of a dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

Frames = NDArray[np.uint8]

# The worker's frames are spread over the clip, and the contract carries no times: what counts for a
# model is their order.
FRAMES_PER_SECOND = 1.0


def sharpest_of_middle(frames: Frames, count: int) -> list[Frames]:
    """Up to ``count`` frames of the middle third of a clip, the sharpest first.

    The paper captions one from the middle (arXiv 2402.19479, section 3.2); sharpness is the
    variance of the Laplacian (Pech-Pacheco et al. 2000).

    Args:
        frames: uint8 RGB ``(T, H, W, 3)``, T at least 1.
        count: at least 1.
    """
    first = len(frames) // 3
    middle = frames[first : max(first + 1, len(frames) - first)]
    return sorted(middle, key=_sharpness, reverse=True)[:count]


def _sharpness(frame: Frames) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())


def spread(frames: Frames, count: int) -> Frames:
    """Up to ``count`` frames, evenly spaced, the first and the last among them."""
    chosen = np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int)
    return np.asarray(frames[chosen])


def model_inputs(
    processor: Any, sees: Literal["picture", "video"], shown: Sequence[Frames], prompts: list[str]
) -> Any:
    """The tensors of a batch.

    Args:
        processor: of the checkpoint.
        sees: whether each of ``shown`` is a picture ``(H, W, 3)`` or a video ``(T, H, W, 3)``.
        shown: uint8 RGB, one for each prompt.
        prompts: the instruction for each.
    """
    text = _turns(processor, sees, prompts)
    if sees == "picture":
        named: dict[str, Any] = {"images": [[each] for each in shown] if text else list(shown)}
        if not text and any(prompts):
            text = prompts
    else:
        named = _videos(shown)
    if text:
        named["text"] = text
    return processor(**named, padding=True, return_tensors="pt")


def _turns(processor: Any, sees: str, prompts: list[str]) -> list[str]:
    """The user's turn of a dialogue for each prompt; none where the model holds no dialogues."""
    if getattr(processor, "chat_template", None) is None:
        return []
    seen = {"type": "image" if sees == "picture" else "video"}
    return [
        processor.apply_chat_template(
            [{"role": "user", "content": [seen, {"type": "text", "text": prompt}]}],
            add_generation_prompt=True,
            tokenize=False,
        )
        for prompt in prompts
    ]


def _videos(shown: Sequence[Frames]) -> dict[str, Any]:
    return {
        "videos": [torch.from_numpy(each.transpose(0, 3, 1, 2).copy()) for each in shown],
        "video_metadata": [
            {
                "total_num_frames": len(each),
                "fps": FRAMES_PER_SECOND,
                "frames_indices": list(range(len(each))),
            }
            for each in shown
        ],
        "do_sample_frames": False,
    }
