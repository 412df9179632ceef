"""Whether and when a failed job is tried again."""

from __future__ import annotations

from random import Random

from streamer.config import RetrySettings
from streamer.worker.attempt import Attempt
from streamer.worker.slot import SLOT_CRASHED
from streamer_client.records import VideoError


class Retries:
    """Exponential backoff with full jitter, bounded in attempts and in total time.

    Full jitter ("Exponential Backoff and Jitter", AWS Architecture Blog, 2015) draws the whole
    delay at random, so that jobs which failed together do not come back together.
    """

    def __init__(self, settings: RetrySettings, random: Random):
        self._settings = settings
        self._random = random

    def not_before(self, attempt: Attempt, error: VideoError, now: int) -> int | None:
        """When to try again, in Unix milliseconds; ``None`` if that was the last attempt."""
        limits = self._settings
        if error.fault == "job" or attempt.number >= limits.max_attempts:
            return None
        if error.kind == attempt.last_kind == SLOT_CRASHED:
            return None  # It kills what it runs in: a third slot would fare no better.
        start = now + self._delay(attempt.number)
        last = attempt.first_seen + int(limits.total_seconds * 1000)
        return start if start <= last else None

    def _delay(self, attempt: int) -> int:
        # The exponent has a bound because 2.0 ** 1024 is no float.
        longest = min(
            self._settings.max_seconds, self._settings.base_seconds * 2 ** min(attempt - 1, 60)
        )
        return int(self._random.uniform(0, longest) * 1000)
