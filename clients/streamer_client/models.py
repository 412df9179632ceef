"""The models of a Triton, asked directly; `AsyncModels` is the same for asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from tritonclient import grpc
from tritonclient.utils import InferenceServerException

from streamer_client.connection import Tls, channel_options
from streamer_client.questions import Embeddings, Pixels, Questions, Steps
from streamer_client.requests import Pause, Request, RetryBudget, Send, attempts
from streamer_client.triton import CaptionResult
from streamer_client.video_file import FRAMES, SpanSeconds, sample_file

S = TypeVar("S")
T = TypeVar("T")

TIMEOUT_SECONDS = 60.0
IN_FLIGHT = 4


class Models:
    """Asks the models of one Triton, from any thread. Close it, or use it in a ``with`` block.

    Every method raises a `ModelError`: `ModelUnavailable` (and `ModelTimeout`) where it may work
    later, `ModelRefused` (`ModelNotServed`, `BadInput`, `AccessDenied`) where it will not, and
    ``ValueError`` for arrays of another kind than it asks for.

    Args:
        url: ``host:port`` of Triton's gRPC endpoint.
        timeout_seconds: deadline of each request, its retries included.
        tls: to encrypt; None for a plain connection.
    """

    def __init__(
        self,
        url: str = "localhost:8001",
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tls: Tls | None = None,
    ):
        self._client = grpc.InferenceServerClient(url, **channel_options(tls))
        self._questions, self._budget = Questions(), RetryBudget()
        self._timeout = timeout_seconds
        self._threads = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="streamer-models")

    def embed_images(self, images: Sequence[Pixels]) -> Embeddings:
        """Unit embeddings, float32 ``(N, D)``, of uint8 RGB pictures ``(H, W, 3)`` of any sizes."""
        return self._answer(self._questions.embed_images(images))

    def embed_text(self, texts: Sequence[str]) -> Embeddings:
        """Unit embeddings, float32 ``(N, D)``; needs a profile with a ``clip_text`` model."""
        return self._answer(self._questions.embed_texts(texts))

    def score(self, images: Sequence[Pixels], texts: Sequence[str]) -> Embeddings:
        """Cosine of every picture with every text, float32 ``(pictures, texts)``, -1 to 1."""
        return self._answer(self._questions.score(images, texts))

    def caption_frames(self, frames: Pixels | Sequence[Pixels], text: str = "") -> CaptionResult:
        """The best caption of a clip, and every captioner's.

        Args:
            frames: uint8 RGB ``(T, H, W, 3)``, in order, or a list of pictures of one size.
            text: title, description, subtitles; may be empty.
        """
        return self._answer(self._questions.caption(frames, text))

    def caption_file(
        self,
        path: str | Path,
        span: SpanSeconds | None = None,
        *,
        text: str = "",
        frames: int = FRAMES,
    ) -> CaptionResult:
        """Caption a span of a local video, decoded here and sampled as the service does.

        Args:
            path: the file; needs the extra ``video``.
            span: ``[start, end)`` in seconds of stream time; None for all of it.
            text: title, description, subtitles; may be empty.
            frames: how many the captioners see, at most.

        Raises:
            BadVideo: if the file or the span gives no frame.
        """
        return self.caption_frames(sample_file(path, span, frames), text)

    def close(self) -> None:
        """Close the connection; requests in flight are cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, steps: Steps[T]) -> T:
        return run(steps, self._ask_all)

    def _ask_all(self, requests: Sequence[Request]) -> list[Any]:
        return list(self._threads.map(self._ask, requests))

    def _ask(self, request: Request) -> Any:
        return run(attempts(request, self._timeout, self._budget), self._perform)

    def _perform(self, step: Send | Pause) -> Any:
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        try:
            return step.request.send(self._client, step.seconds)
        except InferenceServerException as error:
            return error


def run(steps: Generator[S, Any, T], perform: Callable[[S], Any]) -> T:
    """Take the steps one by one, giving each one's outcome to the next; returns their result."""
    outcome: Any = None
    while True:
        try:
            step = steps.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        outcome = perform(step)
