"""Names for a server's shared memory, and removal of what dead servers left (Linux only)."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import Final

REGIONS: Final = Path("/dev/shm")  # noqa: S108
PREFIX: Final = "streamer_triton_"


class RegionPrefix:
    """A prefix for the regions of one server, taken for as long as anyone holds :attr:`lock`.

    The lock is an open descriptor that the server and its children inherit. The kernel lets go of
    it when the last of them ends, so no process id has to be trusted to see that a prefix is free.
    """

    def __init__(self) -> None:
        self.name = f"{PREFIX}{secrets.token_hex(6)}"
        self.lock = _take(REGIONS / f"{self.name}.lock")

    def release(self) -> None:
        """Let go of the lock in this process and remove the regions if no one else holds it."""
        os.close(self.lock)
        sweep()


def sweep() -> None:
    """Remove the regions of every prefix that no process holds any more."""
    for lock in REGIONS.glob(f"{PREFIX}*.lock"):
        descriptor = _try_lock(lock)
        if descriptor is None:
            continue
        regions = [path for path in REGIONS.glob(f"{lock.stem}*") if path != lock]
        for path in (*regions, lock):  # The lock last: without it the rest would never be found.
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(lock: Path) -> int:
    """Create and lock a file; once more if a sweep got hold of it in between."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


def _try_lock(lock: Path) -> int | None:
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except (FileNotFoundError, PermissionError):  # Swept by another start, or another user's.
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
