"""What is fuzzed, and the watch over it: nothing but typed errors, and no refused address reached.

While a `Fence` stands, names resolve without a network, and connections that the service permits
go no further than this machine. Whether it may permit them is judged by a list of its own.
"""

from __future__ import annotations

import socket
import sys
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from random import Random
from typing import Any, Self

from benchmarks import fuzz_inputs, fuzz_pages
from streamer.acquire import Media, acquire
from streamer.acquire.guard import guarded
from streamer.clip_text import VideoText
from streamer.config import AcquireSettings, DecodeSettings
from streamer.decode import open_video
from streamer.errors import JobRejected, StreamerError
from streamer.url_policy import AddressPolicy
from streamer.worker.message import Message, read_job
from streamer_client.records import VideoJob

SITE = "127.0.0.2"
_FORBIDDEN: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3", "::/3", "2001::/23", "2002::/16",
        "fc00::/7", "fe80::/9", "ff00::/8",
    )
)  # fmt: skip


class Broken(AssertionError):
    """A promise of the service that an input broke."""


class Fence:
    """Keeps this thread on this machine, and notes what it should not have been let reach."""

    def __init__(self) -> None:
        self.escapes: list[str] = []
        self._thread: int | None = None
        self._resolve = socket.getaddrinfo
        with guarded(AddressPolicy(), 5):
            pass  # Its hook comes first from now on: what is seen here was permitted.
        sys.addaudithook(self._watch)

    def __enter__(self) -> Self:
        self._thread = threading.get_ident()
        socket.getaddrinfo = self._resolved
        return self

    def __exit__(self, *_: object) -> None:
        self._thread = None
        socket.getaddrinfo = self._resolve

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("socket.connect", "socket.sendto") or not self._is_watched():
            return
        host = str(arguments[1][0])
        if host == SITE:
            return
        address = ip_address(host)
        if any(address.version == net.version and address in net for net in _FORBIDDEN):
            self.escapes.append(host)
        raise ConnectionRefusedError(f"{host} is beyond the fence")

    def _is_watched(self) -> bool:
        return threading.get_ident() == self._thread

    def _resolved(self, host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        """As the system does for addresses; names get one that depends on the name."""
        if not self._is_watched():
            return self._resolve(host, port, *rest, **options)
        with suppress(OSError, UnicodeError):
            numeric = {**options, "flags": socket.AI_NUMERICHOST}
            return self._resolve(host, port, *rest[:3], **numeric)
        name = host if isinstance(host, bytes) else str(host).encode(errors="replace")
        pool = (*fuzz_inputs.FORBIDDEN, "8.8.8.8", SITE)
        return self._resolve(pool[zlib.crc32(name) % len(pool)], port, *rest, **options)


class Targets:
    """What one input goes through; each raises `Broken`, or an error that nobody expected.

    ``good`` is a URL on `SITE` that may be fetched, ``serve`` puts a body there and returns its
    URL, ``port`` is the trap's.
    """

    def __init__(
        self, folder: Path, good: str, serve: Callable[[bytes, str], str], port: int
    ) -> None:
        self._good, self._serve, self._port = good, serve, port
        self._input = folder / "input.mp4"
        self._videos = fuzz_inputs.videos(folder)
        self._acquire = AcquireSettings(
            allowed_networks=(IPv4Network(f"{SITE}/32"),),
            allowed_roots=(folder,),
            temp_dir=folder,
            max_bytes=1 << 20,
            total_timeout_seconds=4.0,
            page_cpu_seconds=2.0,
        )

    def record(self, random: Random) -> None:
        """The record parser: a job that survives the topic, or a record that says why not."""
        job = read_job(Message("videos", 0, 0, fuzz_inputs.job(random)))
        if not isinstance(job, VideoJob):
            if job.error is None or job.error.kind != "bad_record":
                raise Broken(f"a bad job ended as {job}")
            return
        if VideoJob.from_bytes(job.to_bytes()) != job:
            raise Broken(f"{job!r} does not survive the topic")
        with suppress(JobRejected):
            VideoText.of(job.metadata, Media(self._input, 0))

    def url(self, random: Random) -> None:
        """The URL policy, up to the connection."""
        self._fetched(fuzz_inputs.url(random, self._port))

    def playlist(self, random: Random) -> None:
        """The check of what pages, playlists and manifests lead to."""
        self._fetched(self._serve(*fuzz_pages.page(random, self._good, self._port)))

    def file(self, random: Random) -> None:
        """The check of playlists in files, which a decoder would follow."""
        self._input.write_bytes(fuzz_pages.page(random, self._good, self._port)[0])
        self._fetched(str(self._input))

    def media(self, random: Random) -> None:
        """Opening and decoding of spoilt videos."""
        self._input.write_bytes(fuzz_inputs.spoilt(random, random.choice(self._videos)))
        self._fetched(str(self._input))

    def _fetched(self, url: str) -> None:
        try:
            with (
                acquire(url, self._acquire) as media,
                open_video(media.path, DecodeSettings(threads=1)) as video,
            ):
                for _ in video.batches():
                    pass
        except StreamerError as error:
            if not error.message.isprintable() or len(error.message) > 400:
                raise Broken(f"{error.kind} says {error.message!r}") from error

    @property
    def all(self) -> dict[str, Callable[[Random], None]]:
        """Each by the name of what it tests."""
        return {
            "record parser": self.record,
            "URL policy": self.url,
            "playlist check": self.playlist,
            "playlists in files": self.file,
            "spoilt videos": self.media,
        }
