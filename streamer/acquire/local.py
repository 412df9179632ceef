"""Local files: only below the allowed roots, only regular files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from streamer.acquire.failures import failed, rejected, too_large
from streamer.acquire.sniff import refuse_references
from streamer.config import AcquireSettings


def local_file(path: Path, settings: AcquireSettings) -> tuple[Path, int]:
    """``path`` with symlinks and ``..`` resolved, and its size in bytes.

    Only a readable file below an allowed root will do. Outside the roots the answer is the same
    whether or not something is there.

    Raises:
        JobRejected: ``path_refused``, ``not_a_file``, ``too_large`` or ``not_a_video``.
        JobFailed: ``not_found`` or ``forbidden``.
    """
    resolved = Path(os.path.realpath(path))
    roots = [Path(os.path.realpath(root)) for root in settings.allowed_roots]
    if not any(resolved.is_relative_to(root) for root in roots):
        raise rejected(
            "path_refused",
            f"{path} is not below a root in acquire.allowed_roots; add its folder (--allow-root)",
        )
    return resolved, _checked_size(resolved, path, settings.max_bytes)


def _checked_size(resolved: Path, path: Path, max_bytes: int) -> int:
    try:
        # Looked at before it is opened: opening a fifo waits for a writer, a device may act.
        status = resolved.stat()
        if not stat.S_ISREG(status.st_mode):
            raise rejected("not_a_file", f"{path} is a folder, pipe or device; send a video file")
        if status.st_size > max_bytes:
            raise too_large(max_bytes)
        refuse_references(resolved)
        return status.st_size
    except PermissionError as error:
        raise failed("forbidden", f"{path} may not be read by the user of this process") from error
    except OSError as error:
        raise failed("not_found", f"{path} cannot be opened: {error.strerror}") from error
