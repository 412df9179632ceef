"""Watches every connection of this process while a fetch runs, and ends the fetch in time.

The check sits on Python's audit events, beneath every library: ``socket.connect`` carries the
address that the kernel is about to be given, so a name that resolves differently the second time
(DNS rebinding), a redirect, a page's embed and a segment of a playlist are all seen. While a guard
is open it binds all threads of the process, and what it cannot read it refuses. Sockets of C
libraries (gRPC, libav) raise no audit events and are not seen: nothing of a fetch may use them, so
no other program may be started either, except the script sandbox of yt-dlp, which has no network.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from streamer.acquire.failures import rejected, unavailable
from streamer.errors import StreamerError
from streamer.url_policy import AddressPolicy, refusal_message

_CONNECTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_STARTS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"}
_SANDBOXES = {"deno"}

_lock = threading.RLock()
_active: ConnectionGuard | None = None
_hooked = False


class BlockedByGuard(PermissionError):
    """What a refused call sees: an OSError, so that libraries close their sockets and give up."""


class ConnectionGuard:
    """The first reason why the fetch may not go on, and the sockets to close when there is one."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._sockets: dict[int, int] = {}
        self.failure: StreamerError | None = None

    def fail(self, failure: StreamerError) -> StreamerError:
        """End the fetch: break its connections, refuse new ones. Returns the first failure."""
        with _lock:
            if self.failure is None:
                self.failure = failure
                for descriptor, inode in self._sockets.items():
                    _shut_down(descriptor, inode)
            return self.failure

    def check_connect(self, connection: socket.socket, address: Any) -> None:
        """Refuse an address that the policy does not permit, or that is no address."""
        with _lock:
            if self.failure is None and not self._permits(connection, address):
                host = address[0] if isinstance(address, tuple) else "a local socket"
                self.fail(rejected("address_refused", refusal_message(str(host))))
            if self.failure is not None:
                raise BlockedByGuard(self.failure.message)
            self._remember(connection)

    def _permits(self, connection: socket.socket, address: Any) -> bool:
        if address is None:
            return True  # sendmsg on a socket whose connect was checked.
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        try:
            return self._policy.permits(ipaddress.ip_address(address[0]))
        except (ValueError, TypeError, IndexError):
            return False  # A name: what it resolves to would be seen by nobody.

    def _remember(self, connection: socket.socket) -> None:
        # By descriptor, not by object: TLS moves the connection to a new object. The inode tells
        # whether the descriptor is still this connection when it matters.
        self._sockets[connection.fileno()] = os.fstat(connection.fileno()).st_ino


def _shut_down(descriptor: int, inode: int) -> None:
    try:
        copy = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return  # Closed by its owner: nothing to break.
    with copy:
        if os.fstat(copy.fileno()).st_ino != inode:
            return
        try:
            copy.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # The other side was faster.


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    guard = _active
    if guard is None:
        return
    if event in _CONNECTS:
        guard.check_connect(arguments[0], arguments[1])
    elif event in _STARTS and PurePath(os.fsdecode(arguments[0])).name not in _SANDBOXES:
        raise BlockedByGuard("a fetch starts no programs")


def _activate(guard: ConnectionGuard | None) -> None:
    global _active, _hooked
    with _lock:
        if guard is not None and _active is not None:
            raise RuntimeError("one fetch at a time in a process; run several slots instead")
        if not _hooked:
            # Audit hooks cannot be removed, so there is one, idle while no guard is open.
            sys.addaudithook(_audit)
            _hooked = True
        _active = guard


@contextmanager
def guarded(policy: AddressPolicy, total_seconds: float) -> Iterator[ConnectionGuard]:
    """Bind this process to ``policy`` for at most ``total_seconds`` of wall time.

    Raises:
        JobRejected: ``address_refused``, whatever a library made of the refusal.
        Unavailable: ``timeout``, once ``total_seconds`` are over.
        RuntimeError: a guard is open already.
    """
    guard = ConnectionGuard(policy)
    overdue = unavailable(
        "timeout", f"the fetch took over {total_seconds:g} s (acquire.total_timeout_seconds)"
    )
    timer = threading.Timer(min(total_seconds, threading.TIMEOUT_MAX), guard.fail, [overdue])
    timer.daemon = True
    _activate(guard)
    try:
        timer.start()
        yield guard
    except Exception as error:
        if guard.failure is None or guard.failure is error:
            raise
        raise guard.failure from error
    finally:
        timer.cancel()
        _activate(None)
    if guard.failure is not None:
        raise guard.failure
