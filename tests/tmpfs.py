"""Small disks that can be filled, where this user may mount them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, mb: int) -> Iterator[Path]:
    """A file system of so many MB (2**20 bytes) on ``folder``; skips the test if it may not be."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mb}m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a disk that can be filled")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607
