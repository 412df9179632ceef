"""A relay in front of the embedded broker that makes up for two of its shortcomings.

Debian's kcat carries librdkafka 2.0, which misreads the tagged fields at the end of an ApiVersions
response (Kafka protocol, KIP-482 and KIP-584) and gives up. The fields are optional: the relay
takes them out. Transactions: see :mod:`streamer.embedded.transactions`. All else is passed on as it
is; like a broker, the relay answers the requests of a connection one after the other.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine
from contextlib import closing, suppress
from typing import Any, TypeVar

from streamer.embedded.ports import LOOPBACK
from streamer.embedded.transactions import Transactions, expects_answer

API_VERSIONS = 18
FIRST_TAGGED = 3

T = TypeVar("T")

log = logging.getLogger(__name__)


class Relay:
    """Listens on a loopback port and passes connections on to another one, in a thread."""

    def __init__(self, port: int, broker_port: int):
        self._port = port
        self._broker_port = broker_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._transactions = Transactions(self._ask)

    def start(self) -> None:
        """Start listening. Raises ``OSError`` if the port is taken."""
        self._thread.start()
        try:
            self._server = self._in_thread(asyncio.start_server(self._serve, LOOPBACK, self._port))
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Close all connections and end the thread."""
        self._in_thread(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def drop_connections(self) -> None:
        """Cut all connections; clients may connect again at once."""
        self._in_thread(self._drop())

    def _in_thread(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._drop()

    async def _drop(self) -> None:
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, client_in: StreamReader, client_out: StreamWriter) -> None:
        connection = asyncio.ensure_future(self._relay(client_in, client_out))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        # A cancelled handler would be reported as an error of the server by asyncio's streams.
        with suppress(asyncio.CancelledError):
            await connection

    async def _relay(self, client_in: StreamReader, client_out: StreamWriter) -> None:
        try:
            broker_in, broker_out = await asyncio.open_connection(LOOPBACK, self._broker_port)
            with closing(broker_out):
                while True:
                    request = await _frame(client_in)
                    answer = await self._transactions.answer(request)
                    if answer is None:
                        answer = await _asked(request, broker_in, broker_out)
                    if answer is not None:
                        client_out.write(_framed(answer))
                        await client_out.drain()
        except (OSError, asyncio.IncompleteReadError) as error:
            log.debug("a connection ended: %s", error)
        finally:
            client_out.close()

    async def _ask(self, request: bytes) -> bytes:
        """The broker's answer, over a connection of its own, which nobody cuts."""
        broker_in, broker_out = await asyncio.open_connection(LOOPBACK, self._broker_port)
        with closing(broker_out):
            broker_out.write(_framed(request))
            return await _frame(broker_in)


async def _asked(request: bytes, broker_in: StreamReader, broker_out: StreamWriter) -> bytes | None:
    """The broker's answer, which every client can read; None if it gives none."""
    broker_out.write(_framed(request))
    await broker_out.drain()
    if not expects_answer(request):
        return None
    answer = await _frame(broker_in)
    key, version = struct.unpack_from(">hh", request)
    return without_tags(answer) if key == API_VERSIONS and version >= FIRST_TAGGED else answer


def without_tags(response: bytes) -> bytes:
    """An ApiVersions response, version 3 or later, with an empty list of tagged fields at its end.

    Layout: correlation id (4 bytes), error (2), length + 1 of the list as a varint, per API its
    key, lowest and highest version (6) and an empty list of tags (1), throttle time (4), tags.
    """
    apis, position = _unsigned_varint(response, 6)
    end = position + (apis - 1) * 7 + 4
    return response[:end] + b"\0"


def _unsigned_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


async def _frame(source: StreamReader) -> bytes:
    (length,) = struct.unpack(">i", await source.readexactly(4))
    return await source.readexactly(length)


def _framed(body: bytes) -> bytes:
    return struct.pack(">i", len(body)) + body
