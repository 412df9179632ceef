"""Local files, the roots they must lie below, and what is not a file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from streamer.acquire import acquire
from streamer.errors import JobError, JobFailed, JobRejected
from tests.acquire.conftest import Settings, fetch
from tests.web import GOOD_BYTES


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "a b.mp4").write_bytes(GOOD_BYTES)
    (tmp_path / "secret.mp4").write_bytes(GOOD_BYTES)
    return folder


def refused(url: str | Path, settings: Settings, root: Path, **changes: object) -> JobError:
    with pytest.raises(JobError) as caught:
        fetch(str(url), settings(allowed_roots=(root,), **changes))
    assert caught.value.stage == "acquire"
    return caught.value


def test_every_way_to_name_a_file(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    path = root / "a b.mp4"
    spellings = [str(path), "a b.mp4", "./../root/a b.mp4", path.as_uri()]
    spellings.append(path.as_uri().replace("file://", "file://localhost"))
    for url in spellings:
        media, content = fetch(url, settings(allowed_roots=(root,)))
        assert (media.path, content) == (path, GOOD_BYTES)
    assert path.exists()


def test_a_root_may_be_a_link(root: Path, settings: Settings, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    for base in (link, root):
        assert fetch(str(base / "a b.mp4"), settings(allowed_roots=(link,)))[1] == GOOD_BYTES


def test_no_roots_no_files(root: Path, settings: Settings) -> None:
    with (
        pytest.raises(JobRejected, match=r"acquire\.allowed_roots.*--allow-root") as caught,
        acquire(str(root / "a b.mp4"), settings()),
    ):
        pass
    assert caught.value.kind == "path_refused"


def test_outside_the_roots_nothing_is_told(root: Path, settings: Settings) -> None:
    (root / "link.mp4").symlink_to(root.parent / "secret.mp4")
    (root / "dangling.mp4").symlink_to(root.parent / "missing.mp4")
    paths = ["../secret.mp4", "../missing.mp4", "link.mp4", "dangling.mp4", "a b.mp4/../../x"]
    for path in paths:
        failure = refused(root / path, settings, root)
        assert (type(failure), failure.kind) == (JobRejected, "path_refused")


def test_a_folder_with_the_same_beginning_is_outside(root: Path, settings: Settings) -> None:
    twin = root.with_name("root2")
    twin.mkdir()
    (twin / "a.mp4").write_bytes(GOOD_BYTES)
    assert refused(twin / "a.mp4", settings, root).kind == "path_refused"


def test_what_is_not_there(root: Path, settings: Settings) -> None:
    (root / "loop").symlink_to(root / "loop")
    for name in ("missing.mp4", "a b.mp4/inside", "loop", "x" * 300):
        failure = refused(root / name, settings, root)
        assert (type(failure), failure.kind) == (JobFailed, "not_found")


def test_what_is_not_a_file(root: Path, settings: Settings) -> None:
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "s"))
        for name in (".", "fifo", "s"):
            failure = refused(root / name, settings, root)
            assert (type(failure), failure.kind) == (JobRejected, "not_a_file")
    assert refused("/dev/zero", settings, Path("/dev")).kind == "not_a_file"


def test_too_large(root: Path, settings: Settings) -> None:
    failure = refused(root / "a b.mp4", settings, root, max_bytes=len(GOOD_BYTES) - 1)
    assert (type(failure), failure.kind) == (JobRejected, "too_large")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(root: Path, settings: Settings) -> None:
    (root / "a b.mp4").chmod(0)
    failure = refused(root / "a b.mp4", settings, root)
    assert (type(failure), failure.kind) == (JobFailed, "forbidden")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/a.ts\n",
        b"\xef\xbb\xbf\n#EXTM3U\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\n",
        b"<?xml version='1.0'?><MPD></MPD>",
    ],
)
def test_a_file_that_names_other_media(root: Path, settings: Settings, content: bytes) -> None:
    (root / "list.mp4").write_bytes(content)
    failure = refused(root / "list.mp4", settings, root)
    assert (type(failure), failure.kind) == (JobRejected, "not_a_video")
