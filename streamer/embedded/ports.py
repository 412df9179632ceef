"""Free ports of the loopback interface."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from typing import Final

from streamer.errors import Unavailable

LOOPBACK: Final = "127.0.0.1"
# Below the range from which Linux takes the local ports of outgoing connections (32768 and up).
FIRST, LAST = 20_000, 32_000
TRIES: Final = 200


def free_ports(count: int) -> tuple[int, ...]:
    """``count`` different ports that nothing listens on at this moment.

    Another process may take one before it is used, so a caller tries again on a conflict; the
    ports are drawn at random to make that rare. Raises :class:`Unavailable` (``no_free_port``).
    """
    found: list[int] = []
    with ExitStack() as held:
        for _ in range(TRIES):
            if len(found) == count:
                return tuple(found)
            port = random.randint(FIRST, LAST)  # noqa: S311
            listener = held.enter_context(socket.socket())
            if _bind(listener, port):
                found.append(port)
    raise Unavailable(f"no free port on {LOOPBACK} in {FIRST}..{LAST}", kind="no_free_port")


def is_free(port: int) -> bool:
    """Whether nothing listens on ``port`` at this moment."""
    with socket.socket() as listener:
        # As servers do: what is left of closed connections does not keep one from listening.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _bind(listener, port)


def _bind(listener: socket.socket, port: int) -> bool:
    try:
        listener.bind((LOOPBACK, port))
    except OSError:
        return False
    return True
