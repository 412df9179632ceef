"""Where hostile inputs live: a site that may be reached, a trap that may not, and a folder."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hostile.containers import small_video
from tests.web import Answer, Web


class Trap:
    """Listens on loopback, where nothing may connect; connections wait to be counted."""

    def __init__(self) -> None:
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=128)]
        self.port = int(self._sockets[0].getsockname()[1])
        with suppress(OSError):  # There is no IPv6 here.
            address = ("::1", self.port)
            self._sockets.append(socket.create_server(address, family=socket.AF_INET6))

    def connections(self) -> int:
        """How many have been caught since the last call."""
        return sum(map(_waiting, self._sockets))

    def close(self) -> None:
        """Stop listening."""
        for each in self._sockets:
            each.close()


def _waiting(server: socket.socket) -> int:
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@dataclass(frozen=True)
class Place:
    """What an input is made of."""

    web: Web
    trap: Trap
    root: Path

    @property
    def secret(self) -> Path:
        """A sound video, in a folder that is not allowed."""
        path = self.root.with_name("secret.mp4")
        return path if path.exists() else small_video(path)

    def trapped(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """A URL that leads into the trap, by any name of its host."""
        return f"{scheme}://{host}:{self.trap.port}/video.mp4"

    def answered(self, answer: Answer, path: str = "/input.mp4") -> str:
        """A URL at which the site answers like that."""
        self.web.answers[path] = answer
        return self.web.url(path)


Input = Callable[[Place], "str | bytes | Path"]


@dataclass(frozen=True)
class Case:
    """An input, and how its job must end.

    Attributes:
        make: gives the URL, the path of a file, or the message itself.
        ends: ``done``, or how, in which stage and with which kind.
        limits: settings that differ for it, by section.
    """

    make: Input
    ends: str
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)

    def message(self, place: Place) -> bytes:
        """The message on ``videos``."""
        made = self.make(place)
        return made if isinstance(made, bytes) else json.dumps({"url": str(made)}).encode()
