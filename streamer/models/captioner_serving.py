"""A captioner inside Triton. Imports only inside the Python backend."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from streamer.models import serving
from streamer.models.captioner import Answer, Caption, Captioner, example
from streamer.models.checkpoint import CaptionerModel
from streamer.models.cores import model_threads
from streamer.models.open_clip_serving import CHECKPOINT, device


def load(args: serving.Args) -> Captioner:
    """The captioner of the model's folder; it has answered once.

    Raises:
        UsageError: if the checkpoint is of no use.
    """
    import torch

    os.environ["HF_HUB_OFFLINE"] = "1"
    folder = serving.start(args) / CHECKPOINT
    options = CaptionerModel.model_validate_json(serving.parameter(args, "options"))
    torch.set_num_threads(options.threads or model_threads())
    captioner = Captioner(folder, options, device(args))
    captioner.describe([example(options)], [""])
    return captioner


def answer(requests: Sequence[Any], captioner: Captioner) -> list[Any]:
    """Caption the clips of all requests in common batches; each gets its own answers or error."""
    rows = [_rows(request) for request in requests]
    owners = [owner for owner, (clips, _) in enumerate(rows) for _ in clips]
    answers = captioner.describe(
        [clip for clips, _ in rows for clip in clips],
        [text for _, texts in rows for text in texts],
        lambda clip: bool(requests[owners[clip]].is_cancelled()),
    )
    return [
        _response([each for each, whose in zip(answers, owners, strict=True) if whose == owner])
        for owner in range(len(requests))
    ]


def _rows(request: Any) -> tuple[list[Any], list[str]]:
    texts = serving.array(request, "TEXT").ravel()
    return list(serving.array(request, "FRAMES")), [text.decode(errors="replace") for text in texts]


def _response(answers: Sequence[Answer]) -> Any:
    captions = [each for each in answers if isinstance(each, Caption)]
    failures = [each for each in answers if not isinstance(each, Caption)]
    if failures:
        return serving.failure(failures[0])
    return serving.response(
        {
            "CAPTION": serving.texts([[each.text] for each in captions]),
            "CONFIDENCE": np.array([[each.confidence] for each in captions], dtype=np.float32),
        }
    )
