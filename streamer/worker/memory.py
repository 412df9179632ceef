"""How much memory a process takes."""

from __future__ import annotations

import mmap
from pathlib import Path


def resident_mb(pid: int | None) -> float:
    """Resident memory in MiB by ``/proc``; 0 where there is none (not Linux, or just ended)."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return int(fields[1]) * mmap.PAGESIZE / (1 << 20)
