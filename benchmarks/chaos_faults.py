"""Faults, each injected for real into a running cluster."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.chaos_cluster import Cluster, send
from benchmarks.chaos_place import DISK_MB
from benchmarks.processes import command_of, descendants_of

STALL_SECONDS = (2.0, 8.0)
CUT_SECONDS = 3.0
CUT_EVERY_SECONDS = 0.2
# Longer than the group's session: others get the partitions of a worker that stands still.
FROZEN_SECONDS = 9.0
VISIT_SECONDS = (3.0, 10.0)
ERROR_SECONDS = 3.0
STEP_SECONDS = 1800.0
STUB = "triton_python_backend_stub"

Fault = Callable[[Cluster, random.Random], str]


def kill_worker(cluster: Cluster, chance: random.Random) -> str:
    """SIGKILL a worker and start another one."""
    status = cluster.leave(cluster.any_worker(chance), signal.SIGKILL)
    cluster.revive()
    return f"exit status {status}"


def stop_worker(cluster: Cluster, chance: random.Random) -> str:
    """SIGTERM a worker, which drains, and start another one."""
    status = cluster.leave(cluster.any_worker(chance), signal.SIGTERM)
    cluster.revive()
    return f"exit status {status}"


def freeze_worker(cluster: Cluster, chance: random.Random) -> str:
    """SIGSTOP a worker until its group has given its partitions away: then it is a zombie."""
    with _stopped(cluster.any_worker(chance).pid, FROZEN_SECONDS):
        return f"{FROZEN_SECONDS:.0f} s"


def kill_slot(cluster: Cluster, chance: random.Random) -> str:
    """SIGKILL a slot."""
    send(cluster.any_slot(chance), signal.SIGKILL)
    return ""


def hang_slot(cluster: Cluster, chance: random.Random) -> str:
    """SIGSTOP a slot for good: its worker must end it."""
    send(cluster.any_slot(chance), signal.SIGSTOP)
    return ""


def crash_slot(cluster: Cluster, chance: random.Random) -> str:
    """SIGSEGV a slot, as a decoder's bug does."""
    send(cluster.any_slot(chance), signal.SIGSEGV)
    return ""


def fill_disk(cluster: Cluster, chance: random.Random) -> str:
    """Leave nothing of the workers' temporary disk for some seconds."""
    if cluster.disk is None:
        return "left out: only root may mount a disk that can be filled"
    seconds, filler = chance.uniform(*STALL_SECONDS), cluster.disk / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        for _ in range(DISK_MB):
            file.write(bytes(1 << 20))
    time.sleep(seconds)
    filler.unlink()
    return f"{seconds:.1f} s"


def kill_model(cluster: Cluster, chance: random.Random) -> str:
    """SIGKILL a process that runs a model: Triton answers with errors until it has another."""
    stubs = [pid for pid in descendants_of(cluster.triton.pid) if STUB in command_of(pid)]
    send(chance.choice(stubs), signal.SIGKILL)
    time.sleep(ERROR_SECONDS)
    cluster.revive()
    return f"one of {len(stubs)}"


def kill_triton(cluster: Cluster, _: random.Random) -> str:
    """SIGKILL Triton and start it again at the same address."""
    start, url = time.monotonic(), cluster.triton.url
    send(cluster.triton.pid, signal.SIGKILL)
    cluster.triton.stop()
    cluster.triton.start()
    if cluster.triton.url != url:
        raise RuntimeError(f"another process took {url} while Triton was away; run it again")
    return f"back after {time.monotonic() - start:.0f} s"


def stall_triton(cluster: Cluster, chance: random.Random) -> str:
    """SIGSTOP Triton for some seconds."""
    seconds = chance.uniform(*STALL_SECONDS)
    with _stopped(cluster.triton.pid, seconds):
        return f"{seconds:.1f} s"


def cut_broker(cluster: Cluster, _: random.Random) -> str:
    """Cut every connection to the broker, again and again."""
    end = time.monotonic() + CUT_SECONDS
    while time.monotonic() < end:
        cluster.broker.drop_connections()
        time.sleep(CUT_EVERY_SECONDS)
    return f"{CUT_SECONDS:.0f} s"


def stall_broker(cluster: Cluster, chance: random.Random) -> str:
    """SIGSTOP the broker for some seconds."""
    seconds = chance.uniform(*STALL_SECONDS)
    with _stopped(cluster.broker.pid, seconds):
        return f"{seconds:.1f} s"


def join_and_leave(cluster: Cluster, chance: random.Random) -> str:
    """Let one more worker join for some seconds: two rebalances."""
    seconds = chance.uniform(*VISIT_SECONDS)
    visitor = cluster.join()
    time.sleep(seconds)
    status = cluster.leave(visitor, signal.SIGTERM)
    return f"{seconds:.1f} s, exit status {status}"


def step_clock(cluster: Cluster, chance: random.Random) -> str:
    """Step a worker's clock, forwards or backwards, for as long as the worker lives."""
    seconds = chance.uniform(-STEP_SECONDS, STEP_SECONDS)
    cluster.step_clock(cluster.any_worker(chance), seconds)
    return f"{seconds / 60:+.0f} min"


FAULTS: tuple[Fault, ...] = (
    kill_worker,
    stop_worker,
    freeze_worker,
    kill_slot,
    hang_slot,
    crash_slot,
    fill_disk,
    kill_model,
    kill_triton,
    stall_triton,
    cut_broker,
    stall_broker,
    join_and_leave,
    step_clock,
)


def sequence(count: int, chance: random.Random) -> list[Fault]:
    """``count`` faults in random order; every kind comes before one comes again."""
    faults: list[Fault] = []
    while len(faults) < count:
        faults += chance.sample(FAULTS, len(FAULTS))
    return faults[:count]


@contextmanager
def _stopped(pid: int, seconds: float) -> Iterator[None]:
    send(pid, signal.SIGSTOP)
    try:
        yield
        time.sleep(seconds)
    finally:
        send(pid, signal.SIGCONT)
