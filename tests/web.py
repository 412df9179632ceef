"""A local web server for tests: what a good host serves, and what broken and hostile hosts do.

``with Web() as web: web.url("/good.mp4")``. It listens on 127.0.0.2, so that a test can allow that
address alone and leave 127.0.0.1 refused. ``web.serve(path, body)`` adds a resource.
"""

from __future__ import annotations

import gzip
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

HOST = "127.0.0.2"
# Looks like the start of an MP4, then noise: enough for everything but a decoder.
GOOD_BYTES = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 200

Answer = Callable[["Exchange"], None]


@dataclass(frozen=True)
class Request:
    """One request that came in."""

    path: str
    headers: dict[str, str]


class Exchange(BaseHTTPRequestHandler):
    """One request and the ways to answer it."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        web = self.server.web
        web.requests.append(Request(self.path, dict(self.headers)))
        answer = web.answers.get(self.path.partition("?")[0])
        if answer is None:
            self.reply(b"nothing here", status=404, content_type="text/plain")
        else:
            answer(self)

    def reply(
        self,
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "video/mp4",
        headers: dict[str, str] | None = None,
    ) -> None:
        """A complete, honest answer."""
        self.begin(status, content_type, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def begin(self, status: int, content_type: str, headers: dict[str, str]) -> None:
        """Status and headers only."""
        self.send_response(status)
        for name, value in {"Content-Type": content_type, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def drop(self) -> None:
        """Close the connection here and now; the client sees a reset."""
        linger_zero = b"\1\0\0\0\0\0\0\0"
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests print their own."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    web: Web

    def process_request(self, *arguments: object) -> None:
        self.web.connections += 1
        super().process_request(*arguments)  # type: ignore[arg-type]

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


class Web:
    """The server. ``requests`` and ``connections`` tell what reached it."""

    def __init__(self, host: str = HOST) -> None:
        self.host = host
        self.requests: list[Request] = []
        self.connections = 0
        self.stopping = threading.Event()
        self.answers: dict[str, Answer] = dict(_ANSWERS)
        self._server = _Server((host, 0), Exchange)
        self._server.web = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def url(self, path: str) -> str:
        """The URL of ``path`` on this server."""
        return f"http://{self.host}:{self.port}{path}"

    def serve(self, path: str, body: bytes | Path, content_type: str = "video/mp4") -> str:
        """Serve ``body`` at ``path`` from now on; returns its URL."""
        content = body.read_bytes() if isinstance(body, Path) else body
        self.answers[path] = lambda exchange: exchange.reply(content, content_type=content_type)
        return self.url(path)

    def redirect(self, path: str, location: str, status: int = 302) -> str:
        """Redirect ``path`` to ``location`` from now on; returns its URL."""
        self.answers[path] = lambda exchange: exchange.reply(
            b"", status=status, headers={"Location": location}
        )
        return self.url(path)


def refused_port(host: str = HOST) -> int:
    """A port on ``host`` where nobody listens."""
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


def _status(status: int) -> Answer:
    return lambda exchange: exchange.reply(b"no", status=status, content_type="text/plain")


def _chunked(exchange: Exchange) -> None:
    exchange.begin(200, "video/mp4", {"Transfer-Encoding": "chunked"})
    for start in range(0, len(GOOD_BYTES), 10_000):
        part = GOOD_BYTES[start : start + 10_000]
        exchange.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
    exchange.wfile.write(b"0\r\n\r\n")


def _endless(exchange: Exchange) -> None:
    exchange.begin(200, "video/mp4", {"Transfer-Encoding": "chunked"})
    while not exchange.server.web.stopping.is_set():
        exchange.wfile.write(b"%x\r\n%b\r\n" % (len(GOOD_BYTES), GOOD_BYTES))


def _short(exchange: Exchange) -> None:
    exchange.begin(200, "video/mp4", {"Content-Length": str(2 * len(GOOD_BYTES))})
    exchange.wfile.write(GOOD_BYTES)
    exchange.close_connection = True


def _reset(exchange: Exchange) -> None:
    exchange.begin(200, "video/mp4", {"Content-Length": str(len(GOOD_BYTES))})
    exchange.wfile.write(GOOD_BYTES[:1000])
    exchange.drop()


def _silent(exchange: Exchange) -> None:
    exchange.server.web.stopping.wait()


def _drip_body(exchange: Exchange) -> None:
    exchange.begin(200, "video/mp4", {"Content-Length": str(len(GOOD_BYTES))})
    _drip(exchange)


def _drip_headers(exchange: Exchange) -> None:
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(exchange)


def _drip(exchange: Exchange) -> None:
    while not exchange.server.web.stopping.wait(0.02):
        exchange.wfile.write(b"x")
        exchange.wfile.flush()


def _gzip_bomb(exchange: Exchange) -> None:
    bomb = gzip.compress(bytes(1 << 24))
    exchange.reply(bomb, headers={"Content-Encoding": "gzip"})


def _gzipped(exchange: Exchange) -> None:
    exchange.reply(gzip.compress(GOOD_BYTES), headers={"Content-Encoding": "gzip"})


def _bad_gzip(exchange: Exchange) -> None:
    exchange.reply(os.urandom(2000), headers={"Content-Encoding": "gzip"})


def _with_password(exchange: Exchange) -> None:
    if exchange.headers.get("Authorization") == "Basic dXNlcjpzM2NyZXQ=":  # user:s3cret
        exchange.reply(GOOD_BYTES)
    else:
        exchange.reply(b"", status=401)


_ANSWERS: dict[str, Answer] = {
    "/good.mp4": lambda exchange: exchange.reply(GOOD_BYTES),
    "/mislabelled.mp4": lambda exchange: exchange.reply(GOOD_BYTES, content_type="text/html"),
    "/empty.mp4": lambda exchange: exchange.reply(b""),
    "/chunked.mp4": _chunked,
    "/endless.mp4": _endless,
    "/short.mp4": _short,
    "/reset.mp4": _reset,
    "/silent.mp4": _silent,
    "/drip-body.mp4": _drip_body,
    "/drip-headers.mp4": _drip_headers,
    "/gzip-bomb.mp4": _gzip_bomb,
    "/gzipped.mp4": _gzipped,
    "/bad-gzip.mp4": _bad_gzip,
    "/with-password.mp4": _with_password,
    **{f"/status/{status}": _status(status) for status in (401, 403, 404, 410, 418, 429, 500, 503)},
}
