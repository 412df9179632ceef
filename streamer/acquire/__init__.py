"""The acquire stage: a URL becomes a local file, for as long as the caller needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamer.acquire.disk import require_free_disk
from streamer.acquire.download import download
from streamer.acquire.guard import guarded
from streamer.acquire.host_turn import host_turn
from streamer.acquire.local import local_file
from streamer.acquire.sniff import refuse_references
from streamer.acquire.sweeping import sweep_stale
from streamer.acquire.workspace import remove_own, workspace
from streamer.config import AcquireSettings
from streamer.url_policy import AddressPolicy, parse_source

__all__ = ["Media", "acquire", "remove_own", "require_free_disk", "sweep_stale"]


@dataclass(frozen=True)
class Media:
    """A local, readable media file, and what its page says about it."""

    path: Path
    size_bytes: int
    title: str | None = None
    description: str | None = None


@contextmanager
def acquire(url: str, settings: AcquireSettings) -> Iterator[Media]:
    """The media behind ``url``: a local path, a ``file:`` or ``http(s):`` URL, or a page with one.

    The file is readable while the context lasts; everything temporary is removed with it. One
    fetch at a time in a process (see ``streamer.acquire.guard``); fetching is over when the
    context is entered.

    Raises:
        JobRejected: a rule refuses the URL: scheme, address, path, size, or not one video.
        JobFailed: the source is gone, forbidden or broken.
        Unavailable: the source, the network or the disk is bad for now.
        WorkerBroken: ``settings.temp_dir`` cannot be used.
    """
    source = parse_source(url, settings)
    if isinstance(source, Path):
        yield Media(*local_file(source, settings))
        return
    with workspace(settings.temp_dir) as directory:
        with host_turn(source, settings):
            media = _fetch(source, directory, settings)
        yield media


def _fetch(url: str, directory: Path, settings: AcquireSettings) -> Media:
    policy = AddressPolicy(settings.allowed_networks)
    require_free_disk(settings)
    target, title, description = directory / "media", None, None
    with guarded(policy, settings.total_timeout_seconds) as guard:
        if not download(url, target, settings):
            from streamer.acquire.page import download_video  # Imports yt-dlp: only for pages.

            video = download_video(url, directory, settings, guard)
            target, title, description = video.path, video.title, video.description
    refuse_references(target)
    return Media(target, target.stat().st_size, title, description)
