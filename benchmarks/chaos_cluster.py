"""Real broker, real Triton and several workers, of which any part may be hurt."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from benchmarks.chaos_clock import step
from benchmarks.processes import children_of, command_of
from streamer.config import Settings, as_environment
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.process import GuardedProcess
from streamer.embedded.triton import EmbeddedTriton
from streamer.errors import Unavailable

GRACE_SECONDS = 10.0
END_SECONDS = 60.0
SLOT_POLL_SECONDS = 0.1
STEPPED = (sys.executable, "-m", "benchmarks.chaos_clock")


class Cluster:
    """Workers on a broker and a Triton that others started; entered, ``count`` of them run.

    Attributes:
        disk: the workers' temporary directory, if it is a disk of its own.
        gave_up: last words of what ended by itself and was started again, as an orchestrator would.
    """

    def __init__(
        self,
        settings: Settings,
        broker: EmbeddedBroker,
        triton: EmbeddedTriton,
        count: int,
        log_dir: Path,
        disk: Path | None,
    ):
        self.broker, self.triton, self.disk = broker, triton, disk
        self.gave_up: list[str] = []
        self._settings = settings
        self._count = count
        self._log_dir = log_dir
        self._numbers = itertools.count(1)
        self._workers: list[GuardedProcess] = []

    def any_worker(self, chance: random.Random) -> GuardedProcess:
        """One that runs."""
        self.revive()
        return chance.choice(self._workers)

    def any_slot(self, chance: random.Random) -> int:
        """Process id of a slot; waits for one where all are being replaced.

        Raises:
            RuntimeError: if none comes up.
        """
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            self.revive()
            slots = [slot for worker in self._workers for slot in _slots_of(worker.pid)]
            if slots:
                return chance.choice(slots)
            time.sleep(SLOT_POLL_SECONDS)
        raise RuntimeError("no worker has a slot")

    def join(self) -> GuardedProcess:
        """Start one more worker."""
        log = self._log_dir / f"worker-{next(self._numbers)}.log"
        worker = GuardedProcess(
            [*STEPPED, str(_clock_of(log)), "--verbose", "worker"],
            log=log,
            env=as_environment(self._settings),
            grace_seconds=GRACE_SECONDS,
        )
        worker.start()
        self._workers.append(worker)
        return worker

    def leave(self, worker: GuardedProcess, number: signal.Signals) -> int:
        """End a worker by a signal; returns its exit status."""
        send(worker.pid, number)
        try:
            return worker.wait(END_SECONDS)
        finally:
            worker.stop()
            self._workers.remove(worker)

    def step_clock(self, worker: GuardedProcess, seconds: float) -> None:
        """Let a worker's clock be so far from the machine's."""
        step(_clock_of(worker.log), seconds)

    def revive(self) -> None:
        """Start again what ended by itself."""
        self._revive_triton()
        for worker in [each for each in self._workers if each.poll() is not None]:
            self.gave_up.append(f"{worker.log.name}: {worker.last_line()}")
            worker.stop()
            self._workers.remove(worker)
        while len(self._workers) < self._count:
            self.join()

    def _revive_triton(self) -> None:
        try:
            self.triton.check()
        except Unavailable as error:
            self.gave_up.append(error.message)
            self.triton.stop()
            self.triton.start()

    def __enter__(self) -> Self:
        self.revive()
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as ending:
            for worker in self._workers:
                ending.callback(worker.stop)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has just ended by itself needs none."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _clock_of(log: Path) -> Path:
    return log.with_suffix(".clock")


def _slots_of(worker: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [pid for pid in children_of(worker) if "spawn_main" in command_of(pid)]
    return []
