"""Everything a worker needs, on this machine."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.config import Settings, as_environment
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.process import GuardedProcess
from streamer.embedded.triton import EmbeddedTriton

WORKER_GRACE_SECONDS = 10.0
DRAIN_SECONDS = 3.0
SESSION_TIMEOUT_SECONDS = 6.0

_numbers = itertools.count(1)


@contextmanager
def local_triton(
    settings: Settings, repository: Path, log_dir: Path, port: int | None = None
) -> Iterator[Settings]:
    """Serve ``repository`` here, on ``port`` if it is free; yields the settings that lead to it."""
    with EmbeddedTriton(repository, log_dir=log_dir, port=port) as triton:
        yield settings.with_section("triton", url=triton.url)


@contextmanager
def local_broker(settings: Settings, port: int | None, log_dir: Path) -> Iterator[Settings]:
    """Run a broker in memory here; yields the settings that lead to it."""
    with EmbeddedBroker(log_dir=log_dir, port=port) as broker:
        # This broker lets a first member wait for half its session timeout.
        yield settings.with_section(
            "kafka",
            bootstrap=broker.bootstrap,
            session_timeout_seconds=SESSION_TIMEOUT_SECONDS,
        )


@contextmanager
def local_worker(settings: Settings, log_dir: Path) -> Iterator[GuardedProcess]:
    """Run ``streamer worker`` as a child process that ends with this one.

    It gets less time to drain than the guard gives it, so that it ends its slots itself. Its log
    is a file of its own in ``log_dir``.
    """
    name = f"worker-{os.getpid()}-{next(_numbers)}.log"
    drain = min(settings.worker.grace_seconds, DRAIN_SECONDS)
    with GuardedProcess(
        [sys.executable, "-m", "streamer", "--verbose", "worker"],
        log=log_dir / name,
        env=as_environment(settings.with_section("worker", grace_seconds=drain)),
        grace_seconds=WORKER_GRACE_SECONDS,
    ) as worker:
        yield worker
