"""A way to Triton that can be broken or encrypted: bytes go through as they are."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Self


class Road:
    """Listens on a loopback port and passes connections on to ``target``.

    Args:
        target: ``host:port``.
        broken: how many of the first connections are closed at once.
        tls: to end TLS here, as a load balancer does.
    """

    def __init__(self, target: str, *, broken: int = 0, tls: ssl.SSLContext | None = None):
        host, _, port = target.rpartition(":")
        self._target, self._broken, self._tls = (host, int(port)), broken, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.taken = 0

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"localhost:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # The listener was closed.
            while True:
                self._take(self._listener.accept()[0])

    def _take(self, connection: socket.socket) -> None:
        self.taken += 1
        if self.taken <= self._broken:
            connection.close()
            return
        threading.Thread(target=self._pass, args=(connection,), daemon=True).start()

    def _pass(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            onward = socket.create_connection(self._target)
            back = threading.Thread(target=_copy, args=(onward, connection), daemon=True)
            back.start()
            _copy(connection, onward)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for ``localhost`` that signs itself, and its key, made by ``openssl``."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the far end of a `Road` needs to speak gRPC over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    return context
