"""Temporary directories, and sweeping up after processes that died."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from streamer.acquire import acquire, remove_own, sweep_stale
from streamer.acquire.workspace import workspace
from streamer.errors import WorkerBroken
from tests.acquire.conftest import Settings
from tests.web import Web

DIE_IN_A_FETCH = """
import os, sys
from pathlib import Path
from streamer.acquire.workspace import workspace
with workspace(Path(sys.argv[1])) as directory:
    (directory / "media").write_bytes(b"x")
    os._exit(9)
"""


def test_what_a_dead_process_left_is_swept(temp_dir: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIE_IN_A_FETCH, str(temp_dir)], check=False)
    assert done.returncode == 9
    left = list(temp_dir.iterdir())
    assert len(left) == 1
    assert sweep_stale(temp_dir) == left


def test_what_is_in_use_is_not_swept(web: Web, temp_dir: Path, settings: Settings) -> None:
    with acquire(web.url("/good.mp4"), settings()) as media:
        assert media.path.parent.name.startswith(f"streamer-{os.getpid()}-")
        assert sweep_stale(temp_dir) == []
        assert media.path.exists()


def test_a_process_that_is_about_to_end_removes_its_own(
    web: Web, temp_dir: Path, settings: Settings
) -> None:
    other = temp_dir / "streamer-999999999-abc"
    other.mkdir()
    with acquire(web.url("/good.mp4"), settings()) as media:
        remove_own(temp_dir)
        assert not media.path.parent.exists()
    assert sweep_stale(temp_dir) == [other]


def test_a_file_still_open_gives_its_disk_space_back(temp_dir: Path) -> None:
    with ExitStack() as stack:
        with workspace(temp_dir) as directory:
            file = stack.enter_context((directory / "media").open("wb", buffering=0))
            file.write(b"x" * 1000)
        assert os.fstat(file.fileno()).st_size == 0


def test_the_lock_speaks_for_processes_of_other_containers(tmp_path: Path) -> None:
    foreign = tmp_path / "streamer-999999999-abc"
    foreign.mkdir()
    lock = os.open(foreign, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert sweep_stale(tmp_path) == []
    os.close(lock)
    assert sweep_stale(tmp_path) == [foreign]


def test_what_belongs_to_others_stays(tmp_path: Path) -> None:
    (tmp_path / "streamer-999999999-file").write_bytes(b"")
    (tmp_path / "streamer-notes").mkdir()
    (tmp_path / "precious").mkdir()
    (tmp_path / "streamer-999999999-link").symlink_to(tmp_path / "precious")
    assert sweep_stale(tmp_path) == []


def test_a_missing_temp_dir_stops_the_worker(tmp_path: Path, settings: Settings) -> None:
    missing = tmp_path / "missing"
    with (
        pytest.raises(WorkerBroken, match=r"acquire\.temp_dir"),
        acquire("http://host.invalid/", settings(temp_dir=missing)),
    ):
        pass
