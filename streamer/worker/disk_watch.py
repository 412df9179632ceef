"""Whether there is room for what another job would fetch."""

from __future__ import annotations

import logging
import time

from streamer.acquire import require_free_disk
from streamer.config import AcquireSettings
from streamer.errors import Unavailable

ASK_SECONDS = 1.0

log = logging.getLogger(__name__)


class DiskWatch:
    """Looks at the disk of ``acquire.temp_dir``, once a second at most."""

    def __init__(self, settings: AcquireSettings):
        self._settings = settings
        self._asked = float("-inf")
        self._fault: str | None = None

    @property
    def fault(self) -> str | None:
        """Why no job should start, if none should.

        Raises:
            WorkerBroken: ``temp_dir`` is not there.
        """
        if time.monotonic() - self._asked > ASK_SECONDS:
            self._fault = self._found()
            self._asked = time.monotonic()
        return self._fault

    def _found(self) -> str | None:
        try:
            require_free_disk(self._settings)
        except Unavailable as error:
            if self._fault is None:
                log.warning("no job starts for now: %s", error.message)
            return error.message
        return None
