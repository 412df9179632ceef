"""A child process that ends when this one ends, even by ``kill -9`` (Linux only)."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from streamer.embedded import guard
from streamer.errors import Unavailable

# The guard itself has nothing to do after the grace but kill and reap.
GUARD_SECONDS: Final = 10.0


class GuardedProcess:
    """Runs ``command`` under the guard, in a session of its own, with its output in ``log``.

    The command does not see the terminal's Ctrl-C. It gets SIGTERM and, ``grace_seconds`` later,
    SIGKILL, together with every descendant it left, on :meth:`stop` and when this process ends in
    any way. If the guard itself is killed, the kernel kills the command at once; descendants then
    have to notice for themselves (see :func:`streamer.embedded.guard.die_with_parent`).

    ``log`` is started afresh; ``env`` replaces the environment if given; ``inherit`` are
    descriptors that stay open in the command.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        grace_seconds: float = 10.0,
        inherit: Sequence[int] = (),
    ):
        self.command = tuple(command)
        self.log = log
        self._env = env
        self._grace_seconds = grace_seconds
        self._inherit = tuple(inherit)
        self._guard: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int:
        """Process id of the command, not of its guard."""
        if self._pid is None:
            raise RuntimeError("the process has not been started")
        return self._pid

    @property
    def guard_pid(self) -> int:
        """Process id of the guard."""
        if self._guard is None:
            raise RuntimeError("the process has not been started")
        return self._guard.pid

    def start(self) -> None:
        """Start the command. A command that cannot be run ends with status 127 and says why.

        Raises :class:`Unavailable` (``process_failed``) if the guard does not come up.
        """
        if self._guard is not None:
            raise RuntimeError("a guarded process starts once")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._control, theirs = socket.socketpair()
        with theirs, self.log.open("wb") as output:
            self._guard = self._start_guard(theirs.fileno(), output.fileno())
        self._pid = self._read_pid()

    def _start_guard(self, control: int, output: int) -> subprocess.Popen[bytes]:
        arguments = [str(control), str(os.getpid()), str(self._grace_seconds), *self.command]
        # Isolated and without site: nothing of the environment delays or breaks the guard.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=self._env,
            pass_fds=(control, *self._inherit),
            start_new_session=True,
        )

    def _read_pid(self) -> int:
        assert self._control is not None  # noqa: S101
        self._control.settimeout(GUARD_SECONDS)
        try:
            answer = self._control.recv(32)
        except TimeoutError:
            answer = b""
        if not answer:
            self.stop()
            raise Unavailable(
                f"{self.command[0]} did not start; see {self.log}: {self.last_line()}",
                kind="process_failed",
            )
        return int(answer)

    def poll(self) -> int | None:
        """Exit status, or None while it runs.

        128 plus the signal if a signal ended it; negative if the guard itself was killed.
        """
        return None if self._guard is None else self._guard.poll()

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Wait for the end; the status as of :meth:`poll`. Raises ``TimeoutError``."""
        if self._guard is None:
            raise RuntimeError("the process has not been started")
        try:
            return self._guard.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.command[0]} still runs after {timeout_seconds} s") from None

    def stop(self) -> int | None:
        """Stop the command and all it started, and wait for that; may be repeated.

        Returns the status as of :meth:`poll`, None if it was never started.
        """
        if self._guard is None or self._control is None:
            return None
        with contextlib.suppress(OSError):  # The guard may have closed its end already.
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._guard.wait(self._grace_seconds + GUARD_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
        self._control.close()
        status = self._guard.wait()
        if status < 0:
            self._kill_group()
        return status

    def _kill_group(self) -> None:
        """What the command left behind if its guard could not clear up."""
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)

    def last_line(self, *telling: re.Pattern[str]) -> str:
        """What the log says last: the last match of the first pattern that matches at all.

        Without a match, the last line that is not empty.
        """
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        for pattern in telling:
            if matches := [match.group() for match in pattern.finditer(text)]:
                return matches[-1]
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return (lines or ["the log is empty"])[-1]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
