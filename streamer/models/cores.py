"""How many threads a model may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
# Small networks stop gaining here, and several models share one machine.
MOST_THREADS = 8


def model_threads() -> int:
    """Threads for one model: the cores this process may use, at most 8.

    A container's quota counts: with 64 threads on 2 cores' worth of time, the kernel stops all of
    them for most of each period.
    """
    return max(1, min(len(os.sched_getaffinity(0)), _quota_cores(), MOST_THREADS))


def _quota_cores() -> int:
    if not CPU_QUOTA.is_file():
        return MOST_THREADS
    quota, period = CPU_QUOTA.read_text().split()
    return MOST_THREADS if quota == "max" else math.ceil(int(quota) / int(period))
