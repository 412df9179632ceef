"""The guard ends what it runs, whoever of the three is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.embedded.process import GuardedProcess
from tests.embedded.conftest import StartParent, answer, runs, wait_until

FAMILY = """
import subprocess, sys, time
here = subprocess.Popen(["sleep", "600"])
away = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(here.pid, away.pid, flush=True)
time.sleep(600)
"""
POLITE = """
import signal, sys, time
def leave(*_):
    print("bye", flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
PARENT = """
import os, sys, time
from pathlib import Path
from streamer.embedded.process import GuardedProcess
process = GuardedProcess(["sleep", "600"], log=Path({log!r}))
process.start()
copy = os.fork() if {fork} else 0
if copy or not {fork}:
    print(process.pid, process.guard_pid, copy, flush=True)
time.sleep(600)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "command.log"


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def wait_for(text: str, log: Path) -> None:
    wait_until(lambda: log.exists() and text in log.read_text())


def test_a_stop_lets_the_command_say_goodbye(log: Path) -> None:
    with GuardedProcess(python(POLITE), log=log) as process:
        wait_for("ready", log)
        assert process.poll() is None
        assert process.stop() == 7
    assert process.last_line() == "bye"
    assert not runs(process.pid)


def test_a_command_that_ignores_the_request_is_killed(log: Path) -> None:
    with GuardedProcess(python(STUBBORN), log=log, grace_seconds=0.1) as process:
        wait_for("ready", log)
    assert process.poll() == 128 + signal.SIGKILL


def test_no_descendant_outlives_the_command(log: Path) -> None:
    with GuardedProcess(python(FAMILY), log=log) as process:
        wait_for("\n", log)
        descendants = [int(pid) for pid in log.read_text().split()]
        assert all(runs(pid) for pid in descendants)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(60) == 128 + signal.SIGKILL
    assert not any(runs(pid) for pid in descendants)


def test_the_status_is_that_of_the_command(log: Path) -> None:
    with GuardedProcess(python("raise SystemExit(3)"), log=log) as process:
        assert process.wait(60) == 3


def test_a_missing_command_says_so_in_the_log(log: Path) -> None:
    with GuardedProcess(["no-such-command"], log=log) as process:
        assert process.wait(60) == 127
    assert process.last_line() == "cannot start no-such-command: No such file or directory"


def test_the_environment_is_the_one_given(log: Path) -> None:
    with GuardedProcess(["/usr/bin/env"], log=log, env={"ONLY": "this"}) as process:
        assert process.wait(60) == 0
    names = {line.partition("=")[0] for line in log.read_text().splitlines()}
    assert "ONLY" in names
    assert not {"HOME", "PATH"} & names


def test_the_command_is_out_of_the_terminals_reach(log: Path) -> None:
    with GuardedProcess(["sleep", "600"], log=log) as process:
        sessions = {os.getsid(pid) for pid in (os.getpid(), process.guard_pid, process.pid)}
        assert len(sessions) == 3


@pytest.mark.parametrize("fork", [False, True], ids=["alone", "with a forked copy of its sockets"])
def test_the_command_ends_when_its_parent_is_killed(
    start_parent: StartParent, log: Path, fork: bool
) -> None:
    parent = start_parent(PARENT.format(log=str(log), fork=fork))
    command, guard, copy = map(int, answer(parent))
    assert runs(command)
    parent.kill()
    wait_until(lambda: not runs(command) and not runs(guard))
    assert not fork or runs(copy)


def test_the_command_ends_when_its_guard_is_killed(log: Path) -> None:
    with GuardedProcess(["sleep", "600"], log=log) as process:
        os.kill(process.guard_pid, signal.SIGKILL)
        wait_until(lambda: not runs(process.pid))
        assert process.stop() == -signal.SIGKILL


def test_the_command_ends_when_parent_and_guard_are_killed(
    start_parent: StartParent, log: Path
) -> None:
    parent = start_parent(PARENT.format(log=str(log), fork=False))
    command, guard, _ = map(int, answer(parent))
    os.kill(guard, signal.SIGSTOP)
    parent.kill()
    os.kill(guard, signal.SIGKILL)
    wait_until(lambda: not runs(command))


def test_the_package_is_light_to_import() -> None:
    program = (
        "import sys, streamer.embedded.process; print(sorted({'numpy', 'kafka', 'grpc'} & set("
        "sys.modules)))"
    )
    done = subprocess.run(python(program), capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
