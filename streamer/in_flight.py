"""Requests that overlap with the work that makes them: in order, bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class InFlight(Generic[Item, Answer]):
    """Items with a promised answer each, handed back in order.

    Args:
        limit: how many may be unanswered before ``ready`` waits for the oldest.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._pending: deque[tuple[Item, Future[Answer]]] = deque()

    def add(self, item: Item, answer: Future[Answer]) -> None:
        """Take an item whose answer is on its way."""
        self._pending.append((item, answer))

    def ready(self) -> Iterator[tuple[Item, Answer]]:
        """What is answered; waits only while more than ``limit`` are not.

        Raises:
            Exception: what the oldest request failed with.
        """
        while self._pending and (len(self._pending) > self._limit or self._pending[0][1].done()):
            yield self._oldest()

    def drain(self) -> Iterator[tuple[Item, Answer]]:
        """All that is left, waiting for each."""
        while self._pending:
            yield self._oldest()

    def _oldest(self) -> tuple[Item, Answer]:
        item, answer = self._pending.popleft()
        return item, answer.result()
