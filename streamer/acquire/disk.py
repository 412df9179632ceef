"""The temporary disk: never filled to the brim, so that others on it can go on."""

from __future__ import annotations

import shutil

from streamer.acquire.failures import unavailable
from streamer.acquire.workspace import temp_dir_failure
from streamer.config import MEBIBYTE, AcquireSettings


def require_free_disk(settings: AcquireSettings) -> None:
    """Refuse to write while the disk of ``temp_dir`` has less free space than it must keep.

    Raises:
        Unavailable: ``disk_low``.
        WorkerBroken: ``temp_dir`` is not there.
    """
    try:
        free_mb = shutil.disk_usage(settings.temp_dir).free // MEBIBYTE
    except OSError as error:
        raise temp_dir_failure(error, settings.temp_dir) from error
    if free_mb < settings.min_free_mb:
        raise unavailable(
            "disk_low",
            f"the disk of acquire.temp_dir has {free_mb} MB left, under the "
            f"{settings.min_free_mb} MB of acquire.min_free_mb; free some space",
        )
