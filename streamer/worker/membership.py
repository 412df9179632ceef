"""Whether this worker may still speak for its partitions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Membership:
    """What is known of the worker's place in its group.

    A process that stood still for longer than its session may have lost its partitions without
    having been told. Brokers fence what such a zombie commits by the group's generation (KIP-447);
    here it is not even tried until the answer to a heartbeat has told.

    Args:
        session_seconds: without a heartbeat for so long, the broker gives the partitions away.
        is_member_since: whether a heartbeat sent after a moment (``time.monotonic``) was answered.

    Attributes:
        joined: whether the group has given the worker partitions, perhaps none, and not asked for
            them back.
    """

    def __init__(self, session_seconds: float, is_member_since: Callable[[float], bool]):
        self.joined = False
        # The broker counts from the last heartbeat; there are three in a session.
        self.lease_seconds = session_seconds * 2 / 3
        self._is_member_since = is_member_since
        self._turned = time.monotonic()
        self._resumed: float | None = None

    def turned(self) -> None:
        """The worker's loop turns; to be called in every round."""
        now = time.monotonic()
        if now - self._turned > self.lease_seconds:
            log.warning("stood still for %.0f s; commits wait for the group", now - self._turned)
            self._resumed = now
        self._turned = now

    @property
    def sure(self) -> bool:
        """Whether the partitions are this worker's as far as anybody can know."""
        self.turned()
        if self._resumed is not None and self._is_member_since(self._resumed):
            self._resumed = None
        return self.joined and self._resumed is None

    def entered(self) -> None:
        """The group has said which partitions are this worker's."""
        self.joined = True  # Not more: the answer may have waited here since before a standstill.

    def left(self) -> None:
        """The worker is out of its group until it joins again."""
        self.joined = False
