"""Memory of a slot over one video, in a process that has seen no other."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.media import Reel
from benchmarks.processes import peak_mb, resident_mb, slot_of
from benchmarks.service import Observed, Service, fresh_service
from streamer.config import Settings

SAMPLE_SECONDS = 0.2
SLOT_START_SECONDS = 60.0
# The beginning, while caches and pools of the allocator fill, says nothing of growth.
SETTLED_AFTER = 0.25


@dataclass(frozen=True)
class Memory:
    """Attributes:
    start_mb: resident before the job: the interpreter and its imports.
    peak_mb: the high-water mark after it.
    growth_mb_per_minute: slope of what is resident, per minute of video, once settled.
    observed: the job.
    """

    start_mb: float
    peak_mb: float
    growth_mb_per_minute: float
    observed: Observed


def memory_of(reel: Reel, settings: Settings, log_dir: Path) -> Memory:
    """Process ``reel`` in a slot of its own and watch the slot's memory."""
    with fresh_service(settings, log_dir) as service:
        slot = _loaded_slot(service)
        with _Watch(slot) as watch:
            start_mb = resident_mb(slot)
            observed = service.run(reel)
        return Memory(start_mb, peak_mb(slot), watch.slope(reel.seconds / 60), observed)


def _loaded_slot(service: Service) -> int:
    """The slot's process id, once it no longer grows: it is loaded and waits for a job."""
    deadline, last = time.monotonic() + SLOT_START_SECONDS, 0.0
    while time.monotonic() < deadline:
        try:
            slot = slot_of(service.worker_pid)
            before, last = last, resident_mb(slot)
        except (RuntimeError, OSError, StopIteration):
            before, last = 0.0, 0.0
        if last and before == last:
            return slot
        time.sleep(1.0)
    raise RuntimeError("the slot did not start")


@dataclass
class _Watch:
    """Samples the resident memory of a process in the background."""

    pid: int
    samples: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> _Watch:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def slope(self, minutes: float) -> float:
        """MB per minute of a video of ``minutes`` that was processed at an even pace."""
        settled = self.samples[int(SETTLED_AFTER * len(self.samples)) :]
        step = minutes / len(self.samples)
        return float(np.polyfit(np.arange(len(settled)) * step, settled, 1)[0])

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.samples.append(resident_mb(self.pid))
