"""`Models` for asyncio: the same questions, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from tritonclient.grpc import aio
from tritonclient.utils import InferenceServerException

from streamer_client.connection import Tls, channel_options
from streamer_client.models import IN_FLIGHT, TIMEOUT_SECONDS, S, T
from streamer_client.questions import Embeddings, Pixels, Questions, Steps
from streamer_client.requests import Pause, Request, RetryBudget, Send, attempts
from streamer_client.triton import CaptionResult
from streamer_client.video_file import FRAMES, SpanSeconds, sample_file


class AsyncModels:
    """Asks the models of one Triton; use it in an ``async with`` block.

    Arguments, results and errors are those of `Models`.
    """

    def __init__(
        self,
        url: str = "localhost:8001",
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tls: Tls | None = None,
    ):
        self._url, self._tls = url, tls
        self._questions, self._budget = Questions(), RetryBudget()
        self._timeout = timeout_seconds
        self._free = asyncio.Semaphore(IN_FLIGHT)

    async def embed_images(self, images: Sequence[Pixels]) -> Embeddings:
        """As `Models.embed_images`."""
        return await self._answer(self._questions.embed_images(images))

    async def embed_text(self, texts: Sequence[str]) -> Embeddings:
        """As `Models.embed_text`."""
        return await self._answer(self._questions.embed_texts(texts))

    async def score(self, images: Sequence[Pixels], texts: Sequence[str]) -> Embeddings:
        """As `Models.score`."""
        return await self._answer(self._questions.score(images, texts))

    async def caption_frames(
        self, frames: Pixels | Sequence[Pixels], text: str = ""
    ) -> CaptionResult:
        """As `Models.caption_frames`."""
        return await self._answer(self._questions.caption(frames, text))

    async def caption_file(
        self,
        path: str | Path,
        span: SpanSeconds | None = None,
        *,
        text: str = "",
        frames: int = FRAMES,
    ) -> CaptionResult:
        """As `Models.caption_file`; decodes in a thread."""
        sampled = await asyncio.to_thread(sample_file, path, span, frames)
        return await self.caption_frames(sampled, text)

    async def close(self) -> None:
        """Close the connection; requests in flight are cancelled."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @cached_property
    def _client(self) -> Any:
        # Not before it is used: a channel belongs to the event loop that runs when it is made.
        return aio.InferenceServerClient(self._url, **channel_options(self._tls))

    async def _answer(self, steps: Steps[T]) -> T:
        return await run(steps, self._ask_all)

    async def _ask_all(self, requests: Sequence[Request]) -> list[Any]:
        tasks = [asyncio.ensure_future(self._ask(request)) for request in requests]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _ask(self, request: Request) -> Any:
        async with self._free:
            return await run(attempts(request, self._timeout, self._budget), self._perform)

    async def _perform(self, step: Send | Pause) -> Any:
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        try:
            return await step.request.send(self._client, step.seconds)
        except InferenceServerException as error:
            return error


async def run(steps: Generator[S, Any, T], perform: Callable[[S], Awaitable[Any]]) -> T:
    """`streamer_client.models.run`, awaiting each step."""
    outcome: Any = None
    while True:
        try:
            step = steps.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        outcome = await perform(step)
