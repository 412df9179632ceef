"""At most so many fetches from one host at once, over all slots that share a temporary folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.acquire.failures import unavailable
from streamer.acquire.workspace import temp_dir_failure
from streamer.config import AcquireSettings
from streamer.url_policy import host_of

_PAUSE_SECONDS = 0.2


@contextmanager
def host_turn(url: str, settings: AcquireSettings) -> Iterator[None]:
    """Hold one of the places of the host in ``url``; waits until one is free.

    A place is a locked file in ``temp_dir``: the kernel gives it back when its process ends,
    however that ends. What counts is the host that a job names, not where it is redirected to.

    Raises:
        Unavailable: ``host_busy``, if no place was free within ``total_timeout_seconds``;
            ``disk_full``.
        WorkerBroken: ``temp_dir`` cannot be written to.
    """
    try:
        path, descriptor = _wait_for_place(host_of(url), settings)
    except OSError as error:
        raise temp_dir_failure(error, settings.temp_dir) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # While the lock is held: nobody else may have it by now.
        os.close(descriptor)


def sweep_places(temp_dir: Path) -> None:
    """Remove the places that processes left which were killed.

    Raises:
        OSError: ``temp_dir`` cannot be listed.
    """
    for path in temp_dir.glob(f"{_prefix()}*"):
        descriptor = _locked(path)
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _prefix() -> str:
    return f"streamer-host-{os.getuid()}-"


def _wait_for_place(host: str, settings: AcquireSettings) -> tuple[Path, int]:
    name = hashlib.sha256(host.encode()).hexdigest()[:16]
    paths = [
        settings.temp_dir / f"{_prefix()}{name}-{place}" for place in range(settings.max_per_host)
    ]
    deadline = time.monotonic() + settings.total_timeout_seconds
    while (place := _free_place(paths)) is None:
        if time.monotonic() > deadline:
            raise unavailable(
                "host_busy",
                f"{host}: {len(paths)} other fetches went on for too long; "
                "raise acquire.max_per_host to run more at once",
            )
        time.sleep(_PAUSE_SECONDS)
    return place


def _free_place(paths: list[Path]) -> tuple[Path, int] | None:
    for path in paths:
        descriptor = _locked(path)
        if descriptor is not None:
            return path, descriptor
    return None


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of ``path``, if nobody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its last owner may have removed it since: then this lock is of a file without a name.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
