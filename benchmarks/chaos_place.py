"""What chaos runs on besides servers: tiny films, a web server for them, a disk that can fill."""

from __future__ import annotations

import random
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np

from streamer.decode.interface import Pixels
from streamer.embedded.ports import LOOPBACK
from streamer.evaluate.movie import write_movie

VIDEOS, SIZE, RATE = 8, (160, 96), Fraction(25)
DISK_MB = 64


def tiny_films(folder: Path, chance: random.Random) -> Iterator[Path]:
    """Tiny films of one to two seconds, in two shots each."""
    for number in range(VIDEOS):
        path = folder / f"film-{number}.mp4"
        write_movie(path, _pictures(np.random.default_rng(chance.getrandbits(32))), RATE, SIZE)
        yield path


def _pictures(noise: np.random.Generator) -> Iterator[Pixels]:
    for _ in range(2):
        coarse = noise.integers(0, 255, (6, 10, 3), np.uint8)
        wide = cv2.resize(coarse, (SIZE[0] + 40, SIZE[1]), interpolation=cv2.INTER_CUBIC)
        for frame in range(int(noise.integers(14, 24))):
            yield np.ascontiguousarray(wide[:, frame : frame + SIZE[0]]).astype(np.uint8)


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Serve the files of a folder; yields the URL of it."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a disk of ``DISK_MB`` on ``folder``; yields whether that was allowed: to root alone."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the workers' logs tell what was fetched."""
