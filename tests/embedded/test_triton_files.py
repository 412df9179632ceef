"""What is checked and copied before a server starts."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streamer.embedded.triton_files import PYTHON, prepare
from streamer.errors import UsageError

pytest.importorskip("pytriton", reason="streamer[embedded] is not installed")


def test_starts_at_the_same_time_share_one_copy(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        prepared = list(pool.map(prepare, [tmp_path] * 8))
    backends = {files.backends for files in prepared}
    assert len(backends) == 1
    names = {path.name for path in (backends.pop() / "python").iterdir()}
    assert {"libtriton_python.so", "triton_python_backend_stub"} < names
    assert [path.name for path in tmp_path.glob("triton/*/*")] == ["backends"]


def test_the_stub_of_this_python_is_copied(tmp_path: Path) -> None:
    files = prepare(tmp_path)
    stubs = files.server.parent.parent / "python_backend_stubs"
    original = stubs / PYTHON / "triton_python_backend_stub"
    copied = files.backends / "python" / "triton_python_backend_stub"
    assert copied.read_bytes() == original.read_bytes()
    assert os.access(copied, os.X_OK)


def test_numpy_2_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.3.1")
    with pytest.raises(UsageError, match=r"NumPy 2\.3\.1: pip install 'numpy<2'"):
        prepare(tmp_path)


@pytest.mark.parametrize("library", ["glibc 2.31", "musl 1.2.5"])
def test_an_old_or_other_c_library_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setattr(os, "confstr", lambda _: library)
    with pytest.raises(UsageError, match=f"needs glibc 2.35 or newer, this system has {library}"):
        prepare(tmp_path)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"install streamer\[embedded\]"):
        prepare(tmp_path)


def test_a_cache_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "triton").write_text("a file where a directory should be")
    with pytest.raises(UsageError, match="cannot write the Triton backend"):
        prepare(tmp_path)
