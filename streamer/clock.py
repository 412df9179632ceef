"""Where the time of a job goes, and where it failed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class StageClock:
    """Wall seconds by stage. Stages pull from each other; time counts for the innermost one."""

    def __init__(self) -> None:
        self.failed_stage: str | None = None
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._marks: dict[str, float] = {}
        self._open: list[str] = []
        self._start = self._since = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block for ``name``, less that of stages within it."""
        self._account()
        self._open.append(name)
        try:
            yield
        except Exception:
            self.failed_stage = self.failed_stage or name
            raise
        finally:
            self._account()
            self._open.pop()

    def watch(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Pass ``items`` on, counting the time each takes to come."""
        iterator = iter(items)
        while True:
            with self.stage(name):
                item = next(iterator, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]

    def mark(self, name: str) -> None:
        """Keep the time since the start at which something happened first."""
        self._marks.setdefault(name, time.perf_counter() - self._start)

    def timings(self) -> dict[str, float]:
        """Seconds by stage, the marks, and the ``total`` since the start."""
        total = time.perf_counter() - self._start
        timings = {**self._seconds, **self._marks, "total": total}
        return {name: round(seconds, 4) for name, seconds in timings.items()}

    def _account(self) -> None:
        now = time.perf_counter()
        if self._open:
            self._seconds[self._open[-1]] += now - self._since
        self._since = now


_END = object()
