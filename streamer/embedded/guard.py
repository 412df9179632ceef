"""Runs one command and ends it when the process that asked for it ends, however that ends.

Run as a script by :class:`streamer.embedded.process.GuardedProcess`, on Linux only::

    python guard.py CONTROL_FD PARENT_PID GRACE_SECONDS COMMAND ARGUMENT...

The parent holds the other end of the socket ``CONTROL_FD``: end of file there means "stop". A
``kill -9`` of the parent closes it as surely as a clean stop does. Standard library only, so that
it starts in a few hundredths of a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Final, NoReturn

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
COMMAND_NOT_STARTED: Final = 127


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends.

    ``parent`` is the process id that must still be the parent; if it is gone already, this process
    ends at once. Raises ``OSError`` where the kernel has no such feature (it is Linux only).
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Guard one command; returns its exit status, or 128 plus the signal that ended it."""
    control, parent, grace_seconds, *command = arguments
    os.set_inheritable(int(control), False)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    return _guard(int(control), int(parent), float(grace_seconds), command)


def _guard(control: int, parent: int, grace_seconds: float, command: list[str]) -> int:
    signals = _signal_pipe()
    child = _spawn(command)
    with contextlib.suppress(BrokenPipeError):  # The parent is gone: the wait below sees it.
        os.write(control, f"{child}\n".encode())
    _wait_for_reason_to_stop(child, control, parent, signals)
    _terminate(child, grace_seconds, signals)
    return _kill_rest(child)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _signal_pipe() -> int:
    """A descriptor that becomes readable when a child ends or this process is told to stop."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    # The terminal's Ctrl-C is for the parent, which stops its services in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return readable


def _spawn(command: list[str]) -> int:
    """Start the command; returns when it is itself, in its own session, with its own signals."""
    guard = os.getpid()
    closed_by_exec, still_python = os.pipe()
    child = os.fork()
    if child == 0:
        _exec(command, guard)
    os.close(still_python)
    os.read(closed_by_exec, 1)
    os.close(closed_by_exec)
    return child


def _exec(command: list[str], guard: int) -> NoReturn:
    try:
        os.setsid()
        die_with_parent(guard)
        # Python ignores SIGPIPE and SIGXFSZ, and what is ignored stays ignored over exec.
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(COMMAND_NOT_STARTED)


def _wait_for_reason_to_stop(child: int, control: int, parent: int, signals: int) -> None:
    """Return when the child ended, the parent ended or let go, or SIGTERM came."""
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(signals, select.POLLIN)
    # A process forked by the parent may hold a copy of the socket: watch the parent itself, too.
    with contextlib.suppress(OSError):
        poller.register(os.pidfd_open(parent), select.POLLIN)
    while os.getppid() == parent and not _ended(child):
        ready = {descriptor for descriptor, _ in poller.poll()}
        if ready != {signals} or signal.SIGTERM in os.read(signals, 512):
            return


def _ended(child: int) -> bool:
    """Reap orphans that ended; true once ``child`` has, which stays unreaped to keep its id."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while (ended := os.waitid(os.P_ALL, 0, options)) is not None:
        if ended.si_pid == child:
            return True
        os.waitpid(ended.si_pid, 0)
    return False


def _terminate(child: int, grace_seconds: float, signals: int) -> None:
    """Ask the child to end, and wait for that at most ``grace_seconds``.

    Only the child is asked: it knows in which order its own children have to end.
    """
    os.kill(child, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while not _ended(child) and (left := deadline - time.monotonic()) > 0:
        if select.select([signals], [], [], left)[0]:
            os.read(signals, 512)


def _kill_rest(child: int) -> int:
    """Kill what is left of the child's group and whatever left that group; the child's status."""
    os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    # As subreaper this process has become the parent of every descendant that was orphaned.
    while orphans := _children():
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _children() -> list[int]:
    """Process ids of this process's children; none where the kernel does not list them."""
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(pid) for pid in listed.split()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
