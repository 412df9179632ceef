"""What becomes of a job that ended: its last letters, or another try."""

from __future__ import annotations

import logging
from random import Random

from streamer.config import Settings
from streamer.telemetry import Telemetry
from streamer.worker.attempt import Attempt
from streamer.worker.breaker import Breaker
from streamer.worker.letters import Letter, LetterWriter
from streamer.worker.message import Message
from streamer.worker.retries import Retries
from streamer_client.records import Record, VideoDone
from streamer_client.topics import Topics

log = logging.getLogger(__name__)


class Verdicts:
    """Decides, and tells ``telemetry``."""

    def __init__(self, settings: Settings, topics: Topics, random: Random, telemetry: Telemetry):
        self._telemetry = telemetry
        self._letters = LetterWriter(topics)
        self._retries = Retries(settings.retry, random)
        self._breaker = Breaker(settings.worker.breaker_jobs)

    def record(self, record: Record) -> Letter:
        """What a running job says."""
        self._telemetry.produced(record)
        return self._letters.record(record)

    def retry(self, message: Message, done: VideoDone, attempt: Attempt, now: int) -> Letter | None:
        """The job once more, if it failed and another try may help.

        Raises:
            WorkerBroken: if most of the last jobs failed for the same reason.
        """
        error = done.error if done.status != "done" else None
        self._breaker.note(error)
        start = None if error is None else self._retries.not_before(attempt, error, now)
        if error is None or start is None:
            return None
        wait = (start - now) / 1000
        log.info("job %s: %s; tried again in %.1f s", done.video_id, error.kind, wait)
        self._telemetry.retried(error.kind)
        return self._letters.retry(message, done, error, attempt, start)

    def end(self, message: Message, done: VideoDone, attempt: Attempt) -> list[Letter]:
        """The job's terminal record and, unless it is done, its dead letter."""
        kind = f" ({done.error.kind})" if done.error is not None else ""
        log.info("job %s: %s%s, %d clips", done.video_id, done.status, kind, done.clips)
        if done.error is not None:
            error = done.error.model_copy(update={"attempts": attempt.number})
            done = done.model_copy(update={"error": error})
        self._telemetry.produced(done)
        return self._letters.end(message, done, attempt)
