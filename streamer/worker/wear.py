"""What jobs leave behind in a slot's process, and when a fresh one should take over."""

from __future__ import annotations

import os

from streamer.config import Settings
from streamer.decode.card_use import this_process
from streamer.worker.memory import resident_mb


class Wear:
    """Looks at the process between jobs.

    Libraries keep things for the life of a process, such as DALI its index of every file: a slot
    that goes on until it meets its limit would fail a job that is sound.
    """

    def __init__(self, settings: Settings) -> None:
        self._limit_mb = settings.worker.slot_memory_mb
        self._card_mb = settings.decode.gpu_memory_mb
        self._first_mb: float | None = None

    def after_job(self, decoder: str | None) -> str | None:
        """Why a fresh process should take over, in a few words, if so.

        Args:
            decoder: what decoded the job's video, if it came so far.
        """
        resting = resident_mb(os.getpid())
        # The first job that decodes loads what all jobs need.
        if self._first_mb is None and decoder is not None:
            self._first_mb = resting
        first = self._first_mb
        if first is not None and resting - first > max(0, self._limit_mb - first) / 2:
            return f"it holds {resting:.0f} MB between jobs, {first:.0f} MB after its first"
        return this_process.spent(self._card_mb)
