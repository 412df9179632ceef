"""What broken and hostile servers answer."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import cache

import brotli  # type: ignore[import-untyped]

from tests.hostile.place import Case, Place
from tests.web import GOOD_BYTES, Answer, Exchange, refused_port

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
_NOISE = bytes(range(256)) * 4096

RESET = "retried acquire connection_reset"
TIMEOUT = "retried acquire timeout"
TOO_LARGE = "rejected acquire too_large"
NOT_HTTP = "failed acquire http_error"
NO_VIDEO = "rejected acquire not_a_video"


def gibibyte(exchange: Exchange) -> None:
    """A video that goes on for 1 GiB, without saying so."""
    exchange.begin(200, "video/mp4", {"Connection": "close"})
    exchange.close_connection = True
    exchange.wfile.write(GOOD_BYTES)
    for _ in range(GIBIBYTE // len(_NOISE)):
        exchange.wfile.write(_NOISE)


def gzip_bomb(exchange: Exchange) -> None:
    """1 GiB of zeros, packed to a few MiB."""
    exchange.reply(_gzipped_gibibyte(), headers={"Content-Encoding": "gzip"})


@cache
def _gzipped_gibibyte() -> bytes:
    pack = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = [pack.compress(bytes(MEBIBYTE)) for _ in range(GIBIBYTE // MEBIBYTE)]
    return b"".join([*parts, pack.flush()])


def brotli_bomb(exchange: Exchange) -> None:
    """1 GiB of zeros, packed to a kilobyte."""
    exchange.reply(_brotli_gibibyte(), headers={"Content-Encoding": "br"})


@cache
def _brotli_gibibyte() -> bytes:
    pack = brotli.Compressor(quality=5)
    parts = [pack.process(bytes(MEBIBYTE)) for _ in range(GIBIBYTE // MEBIBYTE)]
    return b"".join([*parts, pack.finish()])


def many_gzips(exchange: Exchange) -> None:
    """A body packed a thousand times over, each layer to be unpacked."""
    headers = {"Content-Encoding": ", ".join(["gzip"] * 1000)}
    exchange.reply(gzip.compress(GOOD_BYTES), headers=headers)


def _drip(start: bytes) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.wfile.write(start)
        while not exchange.server.web.stopping.wait(0.02):
            exchange.wfile.write(b"x")
            exchange.wfile.flush()

    return answer


def _raw(*parts: bytes) -> Answer:
    def answer(exchange: Exchange) -> None:
        for part in parts:
            exchange.wfile.write(part)
        exchange.close_connection = True

    return answer


def _endless(head: bytes, again: bytes) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.wfile.write(head)
        while not exchange.server.web.stopping.is_set():
            exchange.wfile.write(again)

    return answer


def _body(content: bytes, content_type: str = "video/mp4", status: int = 200) -> Answer:
    return lambda exchange: exchange.reply(content, content_type=content_type, status=status)


def _cut_half_way(exchange: Exchange) -> None:
    exchange.begin(200, "video/mp4", {"Content-Length": str(2 * len(GOOD_BYTES))})
    exchange.wfile.write(GOOD_BYTES)
    exchange.drop()


def _silence(exchange: Exchange) -> None:
    exchange.server.web.stopping.wait()


def _case(answer: Answer, ends: str, **limits: float) -> Case:
    return Case(lambda place: place.answered(answer), ends, {"acquire": limits})


def _status(status: int, ends: str) -> Case:
    return _case(_body(b"no", "text/plain", status), ends)


def _port_of_nobody(place: Place) -> str:
    return f"http://{place.web.host}:{refused_port()}/video.mp4"


_SHORT = {"total_timeout_seconds": 1.0}
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n"

BOMBS: dict[str, Callable[[Exchange], None]] = {
    "1 GiB without a length": gibibyte,
    "gzip bomb of 1 GiB": gzip_bomb,
    "brotli bomb of 1 GiB": brotli_bomb,
}

CASES = {
    **{name: _case(bomb, TOO_LARGE) for name, bomb in BOMBS.items()},
    "endless chunks": _case(
        _endless(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n%b\r\n" % bytes(65536)),
        TOO_LARGE,
    ),
    "gzip a thousand times over": _case(many_gzips, "failed acquire bad_encoding"),
    "gzip that is none": _case(
        _raw(_OK + b"Content-Encoding: gzip\r\n\r\n", bytes(range(200))),
        "failed acquire bad_encoding",
    ),
    "length over the limit": _case(
        _raw(_OK + b"Content-Length: 99999999999\r\n\r\n", GOOD_BYTES), TOO_LARGE
    ),
    "length longer than the body": _case(
        _raw(_OK + b"Content-Length: 99999\r\n\r\n", GOOD_BYTES), RESET
    ),
    "length shorter than the body": _case(
        _raw(_OK + b"Content-Length: 100\r\n\r\n", GOOD_BYTES), "failed decode truncated"
    ),
    "length below zero": _case(
        _raw(_OK + b"Content-Length: -5\r\n\r\n", GOOD_BYTES), "failed decode truncated"
    ),
    "two lengths": _case(
        _raw(_OK + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n", GOOD_BYTES), NOT_HTTP
    ),
    "chunk of no size": _case(
        _raw(_OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", GOOD_BYTES), RESET
    ),
    "cut off half way": _case(_cut_half_way, RESET),
    "cut off at once": _case(_raw(), RESET),
    "silence": _case(_silence, TIMEOUT, read_timeout_seconds=0.5),
    "slow drip of a body": _case(_drip(_OK + b"Content-Length: 999999\r\n\r\n"), TIMEOUT, **_SHORT),
    "slow drip of headers": _case(_drip(b"HTTP/1.1 200 OK\r\nX-Slow: "), TIMEOUT, **_SHORT),
    "endless 100 Continue": _case(
        _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), TIMEOUT, **_SHORT
    ),
    "endless header line": _case(_endless(_OK + b"X: ", b"x" * 4096), NOT_HTTP),
    "ten thousand headers": _case(_raw(_OK, b"X-Y: z\r\n" * 10_000, b"\r\n"), RESET),
    "not HTTP": _case(_raw(b"220 ftp.example ready\r\n"), NOT_HTTP),
    "a later HTTP": _case(_raw(b"HTTP/9.9 200 OK\r\n\r\n", GOOD_BYTES), NOT_HTTP),
    "port of nobody": Case(_port_of_nobody, "retried acquire connection_refused"),
    "name of nobody": Case(lambda _: "http://nobody.invalid/", "retried acquire dns_failure"),
    "no TLS there": Case(
        lambda place: place.web.url("/good.mp4").replace("http:", "https:"),
        "failed acquire tls_error",
    ),
    "status 300 to nowhere": _status(300, NOT_HTTP),
    "status 400": _status(400, NOT_HTTP),
    "status 401": _status(401, "failed acquire forbidden"),
    "status 403": _status(403, "failed acquire forbidden"),
    "status 404": _status(404, "failed acquire not_found"),
    "status 410": _status(410, "failed acquire not_found"),
    "status 429": _status(429, "retried acquire http_unavailable"),
    "status 451": _status(451, NOT_HTTP),
    "status 500": _status(500, "retried acquire http_unavailable"),
    "status 503": _status(503, "retried acquire http_unavailable"),
    "status 999": _status(999, "retried acquire http_unavailable"),
    "empty body": _case(_body(b""), NO_VIDEO),
    "text instead of media": _case(_body(b"It works!\n" * 50, "text/plain"), NO_VIDEO),
    "JSON instead of media": _case(_body(b'{"error": "gone"}', "application/json"), NO_VIDEO),
    "HTML instead of media": _case(_body(b"<!DOCTYPE html><p>Sign in"), NO_VIDEO),
}
