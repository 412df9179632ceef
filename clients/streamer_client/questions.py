"""What can be asked of the models, as steps: each yields requests that may go out at once.

They say what to send and what to make of the answers; `Models` and `AsyncModels` drive them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamer_client.requests import BatchLimit, Infer, Request
from streamer_client.triton import Array, CaptionResult, caption_inputs, caption_result, texts

T = TypeVar("T")
Steps = Generator[Sequence[Request], list[Any], T]
Pixels = NDArray[np.uint8]
Embeddings = NDArray[np.float32]

# A batch of large pictures is sent in parts, so that no message takes long or much memory.
MOST_BYTES = 32 << 20


class Questions:
    """Knows how large the models' batches are, once it has asked."""

    def __init__(self) -> None:
        self._limits: dict[str, int] = {}

    def embed_images(self, images: Sequence[Pixels]) -> Steps[Embeddings]:
        """Unit embeddings of pictures of any sizes; those of one size share batches."""
        for place, image in enumerate(images):
            _check(f"image {place}", image, 3, "(H, W, 3)")
        most = yield from self._limit("clip")
        batches = [part for same in _by_shape(images) for part in _parts(images, same, most)]
        answers = yield [
            Infer("clip", {"IMAGE": np.stack([images[place] for place in batch])})
            for batch in batches
        ]
        return _in_order([each["EMBEDDING"] for each in answers], batches)

    def embed_texts(self, words: Sequence[str]) -> Steps[Embeddings]:
        """Unit embeddings of texts."""
        if isinstance(words, str):
            raise TypeError("embed_text takes a list of texts")
        most = yield from self._limit("clip_text")
        places = range(len(words))
        batches = [places[first : first + most] for first in places[::most]]
        answers = yield [
            Infer("clip_text", {"TEXT": texts([words[place] for place in batch])})
            for batch in batches
        ]
        return _in_order([each["EMBEDDING"] for each in answers], batches)

    def score(self, images: Sequence[Pixels], words: Sequence[str]) -> Steps[Embeddings]:
        """Cosine of every picture with every text."""
        seen = yield from self.embed_images(images)
        said = yield from self.embed_texts(words)
        return seen @ said.T

    def caption(self, frames: Pixels | Sequence[Pixels], text: str) -> Steps[CaptionResult]:
        """The best caption of a clip, and all candidates."""
        clip = np.asarray(frames)
        _check("frames", clip, 4, "(T, H, W, 3), all of one size")
        (answer,) = yield [Infer("caption", caption_inputs(clip, text))]
        return caption_result(answer)

    def _limit(self, model: str) -> Steps[int]:
        if model not in self._limits:
            (self._limits[model],) = yield [BatchLimit(model)]
        return self._limits[model]


def _check(what: str, array: Array, dimensions: int, wanted: str) -> None:
    if array.dtype != np.uint8 or array.ndim != dimensions or array.shape[-1] != 3:
        raise ValueError(f"{what}: {array.dtype} {array.shape} is not uint8 RGB {wanted}")
    if not array.size:
        raise ValueError(f"{what}: {array.shape} holds no pixels")


def _by_shape(images: Sequence[Pixels]) -> list[list[int]]:
    places: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, image in enumerate(images):
        places[image.shape].append(place)
    return list(places.values())


def _parts(images: Sequence[Pixels], places: list[int], most: int) -> list[list[int]]:
    size = min(most, max(1, MOST_BYTES // images[places[0]].nbytes))
    return [places[first : first + size] for first in range(0, len(places), size)]


def _in_order(answers: Sequence[Array], batches: Sequence[Sequence[int]]) -> Embeddings:
    """Rows of the answers where the batches took their items from; ``(0, 0)`` of nothing."""
    if not answers:
        return np.empty((0, 0), np.float32)
    places = [place for batch in batches for place in batch]
    rows: Embeddings = np.concatenate(answers)[np.argsort(places)]
    return rows
