"""Whether a worker is alive and ready, and the reason if it is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

STUCK_SECONDS = 30.0


class Health:
    """What the supervisor and the watchers said last; read from other threads.

    Args:
        job_timeout_seconds: after this long a slot must be ended.
        clock: monotonic seconds, the one that jobs' starts are given in.
    """

    def __init__(self, job_timeout_seconds: float, clock: Callable[[], float] = time.monotonic):
        self._job_timeout_seconds = job_timeout_seconds
        self._clock = clock
        self._turned_at = clock()
        self._running_since: tuple[float, ...] = ()
        self.joined = False
        self.fault: str | None = "Triton has not been asked yet"

    def turned(self, running_since: Sequence[float]) -> None:
        """The supervisor's loop has turned, with jobs running that started at these times."""
        self._running_since = tuple(running_since)
        self._turned_at = self._clock()

    def stuck(self) -> str | None:
        """Why the worker is not alive, if it is not."""
        now = self._clock()
        still = now - self._turned_at
        if still > STUCK_SECONDS:
            return f"the supervisor's loop has not turned for {still:.0f} s"
        oldest = now - min(self._running_since, default=now)
        if oldest > self._job_timeout_seconds + STUCK_SECONDS:
            return (
                f"a slot has run its job for {oldest:.0f} s and was not ended after "
                f"{self._job_timeout_seconds:g} s"
            )
        return None

    def unready(self) -> str | None:
        """Why the worker takes no jobs for now, if it does not."""
        if not self.joined:
            return "the worker has not joined its consumer group"
        return self.fault
