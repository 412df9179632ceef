"""Temporary directories of fetches: one per call, gone with it, and swept after a crash."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from streamer.acquire.failures import network_failure
from streamer.errors import StreamerError, WorkerBroken
from streamer.url_policy import STAGE

_NAME = re.compile(r"streamer-(\d+)-\w+")


@contextmanager
def workspace(temp_dir: Path) -> Iterator[Path]:
    """An empty directory below ``temp_dir`` that exists while the context lasts.

    It is locked by its process, so that a sweep elsewhere (another container on the same volume,
    where process ids mean nothing) leaves it alone.

    Raises:
        Unavailable: ``disk_full``.
        WorkerBroken: ``temp_dir`` is missing or not writable.
    """
    with _directory(temp_dir) as name, _locked(Path(name)):
        try:
            yield Path(name)
        finally:
            _empty(Path(name))


def _empty(directory: Path) -> None:
    # A library that failed may still hold a file open: unlinked only, it would keep its disk space
    # until garbage is collected, which in an idle slot is never.
    for path in directory.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.truncate(path, 0)


def _directory(temp_dir: Path) -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix=f"streamer-{os.getpid()}-", dir=temp_dir)
    except OSError as error:
        raise temp_dir_failure(error, temp_dir) from error


def temp_dir_failure(error: OSError, temp_dir: Path) -> StreamerError:
    """Why nothing can be made below ``temp_dir``: its disk is full, or it cannot be used at all."""
    return network_failure(error, "") or WorkerBroken(
        f"cannot write to acquire.temp_dir {temp_dir}: {error.strerror}; create or change it",
        kind="temp_dir",
        stage=STAGE,
    )


def sweep_workspaces(temp_dir: Path) -> list[Path]:
    """Remove what dead processes left below ``temp_dir``; returns the directories removed.

    Raises:
        OSError: ``temp_dir`` cannot be listed, or a stale directory of this user not removed.
    """
    return [path for path in sorted(temp_dir.iterdir()) if _is_stale(path) and _removed(path)]


def remove_own(temp_dir: Path) -> None:
    """Remove the directories of this process, which is about to end without unwinding.

    A fetch may still be writing to them: what cannot be removed is left to the next sweep, so that
    nothing keeps the process from ending.
    """
    for path in temp_dir.glob(f"streamer-{os.getpid()}-*"):
        shutil.rmtree(path, ignore_errors=True)


def _is_stale(path: Path) -> bool:
    name = _NAME.fullmatch(path.name)
    if name is None or _is_alive(int(name[1])):
        return False
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _removed(path: Path) -> bool:
    """Remove ``path``, unless a process elsewhere holds it or another sweep was faster."""
    try:
        with _locked(path):
            shutil.rmtree(path)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
