"""Removes what processes that were killed left in the temporary folder."""

from __future__ import annotations

from pathlib import Path

from streamer.acquire.host_turn import sweep_places
from streamer.acquire.workspace import sweep_workspaces


def sweep_stale(temp_dir: Path) -> list[Path]:
    """Remove what dead processes left below ``temp_dir``; returns the directories removed.

    Raises:
        OSError: ``temp_dir`` cannot be listed, or a stale directory of this user not removed.
    """
    sweep_places(temp_dir)
    return sweep_workspaces(temp_dir)
