"""The model `caption`: asks captioners, ranks what comes back. Imports only inside Triton."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from streamer.models import serving
from streamer.models.fan_out import Candidate, CaptionerError, ask_all, best
from streamer.models.matching import Embeddings, matched, texts_of
from streamer.models.serving import Array


class CaptionEnsemble:
    """Captions clips by every captioner at once.

    Args:
        captioners: served names.
        by_clip: whether captions are ranked by how well they match the frames, by the models
            `clip` and `clip_text`, or by their captioners' confidences.
        deadline_seconds: for each captioner.
    """

    def __init__(self, captioners: Sequence[str], *, by_clip: bool, deadline_seconds: float):
        self._captioners = captioners
        self._by_clip = by_clip
        self._deadline = deadline_seconds

    async def answer(self, requests: Sequence[Any]) -> list[Any]:
        """Answer all requests concurrently; one that fails does not fail the others."""
        return list(await asyncio.gather(*(self._answer(request) for request in requests)))

    async def _answer(self, request: Any) -> Any:
        frames, text = serving.array(request, "FRAMES"), serving.array(request, "TEXT")
        try:
            clips = [self._caption(*clip) for clip in zip(frames, text, strict=True)]
            return _response(await asyncio.gather(*clips))
        except Exception as error:  # noqa: BLE001 - goes to the client and the log
            # Whether captioners are down or too busy, the clip may succeed when asked again.
            return serving.failure(error, pb_utils.TritonError.UNAVAILABLE)

    async def _caption(self, frames: Array, text: Array) -> tuple[Candidate, ...]:
        async def ask(captioner: str) -> tuple[str, float]:
            return await asyncio.wait_for(_ask(captioner, frames, text), self._deadline)

        if not self._by_clip:
            return await ask_all(self._captioners, ask)
        images, candidates = await asyncio.gather(
            _infer("clip", {"IMAGE": frames}, ["EMBEDDING"]), ask_all(self._captioners, ask)
        )
        return matched(candidates, images["EMBEDDING"], await _embedded(texts_of(candidates)))


async def _ask(captioner: str, frames: Array, text: Array) -> tuple[str, float]:
    inputs = {"FRAMES": frames[None], "TEXT": text[None]}
    answer = await _infer(captioner, inputs, ["CAPTION", "CONFIDENCE"])
    return answer["CAPTION"].flat[0].decode(), float(answer["CONFIDENCE"].flat[0])


async def _embedded(texts: Sequence[str]) -> Mapping[str, Embeddings]:
    answer = await _infer("clip_text", {"TEXT": serving.texts([[t] for t in texts])}, ["EMBEDDING"])
    return dict(zip(texts, answer["EMBEDDING"], strict=True))


async def _infer(
    model: str, inputs: Mapping[str, Array], outputs: Sequence[str]
) -> Mapping[str, Array]:
    answer = await pb_utils.InferenceRequest(
        model_name=model,
        requested_output_names=list(outputs),
        inputs=[pb_utils.Tensor(name, array) for name, array in inputs.items()],
    ).async_exec()
    if answer.has_error():
        raise CaptionerError(answer.error().message())
    return {name: serving.array(answer, name) for name in outputs}


def _response(rows: Sequence[Sequence[Candidate]]) -> Any:
    winners = [best(row) for row in rows]
    texts = serving.texts
    return serving.response(
        {
            "CAPTION": texts([[each.caption] for each in winners]),
            "MATCHING_SCORE": np.array([[each.score] for each in winners], dtype=np.float32),
            "CAPTIONERS": texts([[each.captioner for each in row] for row in rows]),
            "CANDIDATES": texts([[each.caption for each in row] for row in rows]),
            "SCORES": np.array([[each.score for each in row] for row in rows], dtype=np.float32),
            "ERRORS": texts([[each.error for each in row] for row in rows]),
        }
    )
