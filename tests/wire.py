"""A connection between two local services that a test can cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

LOOPBACK = "127.0.0.1"


class Wire:
    """Passes connections on to ``port``; while it is cut, there are none."""

    def __init__(self, port: int):
        self._to = port
        self._socket: socket.socket | None = None
        self._ends: list[socket.socket] = []
        with socket.create_server((LOOPBACK, 0)) as server:
            self.port = int(server.getsockname()[1])

    def __enter__(self) -> Self:
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def mend(self) -> None:
        """Accept connections."""
        self._socket = socket.create_server((LOOPBACK, self.port), reuse_port=False)
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def cut(self) -> None:
        """Refuse connections and drop those that stand."""
        if self._socket is not None:
            _close(self._socket)
        self._socket = None
        while self._ends:
            _close(self._ends.pop())

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                broker = socket.create_connection((LOOPBACK, self._to))
                self._ends += [client, broker]
                for pair in ((client, broker), (broker, client)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    _close(source)
    _close(sink)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
