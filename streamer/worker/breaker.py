"""Stops a worker that fails nearly everything it touches."""

from __future__ import annotations

from collections import deque

from streamer.errors import WorkerBroken
from streamer_client.records import VideoError


class Breaker:
    """Remembers how the last ``jobs`` ended; bad jobs count as the service working."""

    def __init__(self, jobs: int):
        self._jobs = jobs
        self._reasons: deque[str | None] = deque(maxlen=jobs)
        self.open = False

    def note(self, error: VideoError | None) -> None:
        """A job ended.

        Raises:
            WorkerBroken: if most of the last ones failed for the same reason, none of theirs.
        """
        reason = None if error is None or error.fault == "job" else error.kind
        self._reasons.append(reason)
        count = self._reasons.count(reason)
        if error is None or reason is None or len(self._reasons) < self._jobs:
            return
        if count * 2 > self._jobs:
            self.open = True
            raise WorkerBroken(
                f"{count} of the last {self._jobs} jobs failed for the same reason, {reason}; the "
                f"worker stops, so that no more are tried in vain. The last said: {error.message}",
                kind="circuit_open",
            )
