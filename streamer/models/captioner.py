"""Captioners that transformers loads by ``AutoModelForImageTextToText``."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    StoppingCriteria,
    StoppingCriteriaList,
)

from streamer.errors import UsageError
from streamer.models.caption_text import clean_caption, fill_prompt
from streamer.models.captioner_inputs import Frames, model_inputs, sharpest_of_middle, spread
from streamer.models.checkpoint import CaptionerModel
from streamer.models.fan_out import CaptionerError
from streamer.models.weights import count_parameters

log = logging.getLogger(__name__)

IsCancelled = Callable[[int], bool]


@dataclass(frozen=True)
class Caption:
    """A caption and how sure its captioner is of it.

    Attributes:
        confidence: geometric mean of the probabilities of its tokens, 0 to 1. It compares captions
            of one model, not of two.
    """

    text: str
    confidence: float


Answer = Caption | CaptionerError


@dataclass(frozen=True)
class _Shown:
    """A picture or a video, for one clip."""

    clip: int
    pixels: Frames
    prompt: str


class Captioner:
    """A checkpoint, ready to caption.

    Args:
        checkpoint: folder with safetensors and the processor's files.
        options: of the profile.
        device: a torch device.

    Raises:
        UsageError: if the checkpoint is missing, corrupt, or none that transformers knows.
    """

    def __init__(self, checkpoint: Path, options: CaptionerModel, device: str = "cpu"):
        count_parameters(checkpoint)
        try:
            self._processor = AutoProcessor.from_pretrained(checkpoint, local_files_only=True)
            model: Any = AutoModelForImageTextToText.from_pretrained(
                checkpoint,
                dtype=getattr(torch, options.dtype),
                local_files_only=True,
                use_safetensors=True,
            )
        except Exception as error:
            cause = " ".join(str(error).split())[:200]
            raise UsageError(
                f"transformers cannot load {checkpoint} ({type(error).__name__}: {cause}): fetch "
                "it again, or take a model of the kind image-text-to-text"
            ) from error
        self._model = model.to(device).eval()
        self._tokenizer = getattr(self._processor, "tokenizer", self._processor)
        # Generation goes on at the right end, which padding must not be in the way of.
        self._tokenizer.padding_side = "left"
        self._options = options

    def describe(
        self, clips: Sequence[Frames], texts: Sequence[str], is_cancelled: IsCancelled | None = None
    ) -> list[Answer]:
        """Caption clips, in batches; one that fails does not fail the others.

        Args:
            clips: uint8 RGB ``(T, H, W, 3)`` each, of any sizes.
            texts: what is known of each, may be empty.
            is_cancelled: whether nobody waits any more for the clip of that index.
        """
        deadline = time.monotonic() + self._options.deadline_seconds
        stop = _Stop(deadline, is_cancelled or (lambda _: False))
        found: dict[int, list[Answer]] = {number: [] for number in range(len(clips))}
        shown: list[_Shown] = []
        for number, (frames, text) in enumerate(zip(clips, texts, strict=True)):
            try:
                shown += self._shown(number, frames, text)
            except Exception as error:  # noqa: BLE001 - the clip's own fault, and its answer
                found[number].append(_failed(error))
        for part in self._batches(shown):
            for each, answer in zip(part, self._answers(part, stop), strict=True):
                found[each.clip].append(answer)
        return [_best(answers) for answers in found.values()]

    def _batches(self, shown: list[_Shown]) -> Iterator[list[_Shown]]:
        """Videos of one batch have as many frames each: some processors number them for all."""
        same: defaultdict[tuple[int, ...], list[_Shown]] = defaultdict(list)
        for each in shown:
            same[each.pixels.shape[:-3]].append(each)
        for group in same.values():
            for first in range(0, len(group), self._options.batch):
                yield group[first : first + self._options.batch]

    def _shown(self, clip: int, frames: Frames, text: str) -> list[_Shown]:
        if not frames.size:
            raise ValueError(f"a clip of no pixels: {frames.shape}")
        marks = self._tokenizer.all_special_tokens
        prompt = fill_prompt(self._options.prompt, text, marks)
        count = self._options.frames
        if self._options.sees == "video":
            return [_Shown(clip, spread(frames, count), prompt)]
        return [_Shown(clip, picture, prompt) for picture in sharpest_of_middle(frames, count)]

    def _answers(self, shown: list[_Shown], stop: _Stop) -> list[Answer]:
        try:
            return self._generated(shown, stop)
        except Exception as error:
            log.exception("a batch of %d failed", len(shown))
            if len(shown) == 1:
                return [_failed(error)]
        # Who is at fault shows when each is alone.
        return [answer for each in shown for answer in self._answers([each], stop)]

    @torch.inference_mode()
    def _generated(self, shown: list[_Shown], stop: _Stop) -> list[Answer]:
        prompts = [each.prompt for each in shown]
        inputs = model_inputs(
            self._processor, self._options.sees, [each.pixels for each in shown], prompts
        ).to(self._model.device, self._model.dtype)
        criterion = stop.of([each.clip for each in shown])
        made = self._model.generate(
            **inputs,
            max_new_tokens=self._options.max_new_tokens,
            do_sample=False,
            num_beams=1,
            stopping_criteria=StoppingCriteriaList([criterion]),
            output_scores=True,
            return_dict_in_generate=True,
        )
        if criterion.reason:
            return [CaptionerError(criterion.reason)] * len(shown)
        tokens = made.sequences[:, -len(made.scores) :]
        texts = self._tokenizer.batch_decode(tokens, skip_special_tokens=True)
        sure = self._confidences(tokens, made.scores)
        return [_caption(*each) for each in zip(texts, prompts, sure, strict=True)]

    def _confidences(self, tokens: torch.Tensor, scores: Sequence[torch.Tensor]) -> list[float]:
        each = [
            step.float().log_softmax(-1).gather(-1, tokens[:, i : i + 1])
            for i, step in enumerate(scores)
        ]
        padding = self._model.generation_config.pad_token_id
        counted = (
            torch.ones_like(tokens, dtype=torch.bool) if padding is None else tokens != padding
        )
        sums = (torch.cat(each, dim=1).nan_to_num(neginf=-100.0) * counted).sum(1)
        return [float(mean) for mean in (sums / counted.sum(1).clamp(min=1)).exp()]


class _Stop:
    """When generating is of no use any more."""

    def __init__(self, deadline: float, is_cancelled: IsCancelled):
        self._deadline, self._is_cancelled = deadline, is_cancelled

    def of(self, clips: Sequence[int]) -> _Criterion:
        """For a batch of these clips."""
        return _Criterion(self, clips)

    def reason(self, clips: Sequence[int]) -> str:
        """Why to stop now; empty while there is no reason."""
        if time.monotonic() > self._deadline:
            return "no caption within its deadline"
        return "cancelled" if all(self._is_cancelled(clip) for clip in clips) else ""


class _Criterion(StoppingCriteria):
    def __init__(self, stop: _Stop, clips: Sequence[int]):
        self._stop, self._clips = stop, clips
        self.reason = stop.reason(clips)

    def __call__(self, input_ids: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        """Asked after each token."""
        self.reason = self.reason or self._stop.reason(self._clips)
        return torch.full((len(input_ids),), bool(self.reason), device=input_ids.device)


def _caption(text: str, prompt: str, confidence: float) -> Answer:
    try:
        return Caption(clean_caption(text, prompt), confidence)
    except CaptionerError as error:
        return error


def _failed(error: Exception) -> CaptionerError:
    return CaptionerError(f"{type(error).__name__}: {error}")


def _best(answers: Sequence[Answer]) -> Answer:
    captions = [each for each in answers if isinstance(each, Caption)]
    return max(captions, key=lambda each: each.confidence) if captions else answers[0]


def example(options: CaptionerModel) -> Frames:
    """A clip to warm up with."""
    return np.zeros((options.frames, 64, 64, 3), dtype=np.uint8)
