"""``streamer up``: an installation on this machine, for development."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from streamer.cli.display import errors
from streamer.cli.options import (
    AllowRootOption,
    BootstrapOption,
    ConfigOption,
    LogDirOption,
    ModelsOption,
    TritonOption,
)
from streamer.cli.starting import (
    DEFAULT_LOG_DIR,
    local_settings,
    start_worker,
    with_broker,
    with_triton,
)
from streamer.config import Settings
from streamer.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from streamer.embedded.process import GuardedProcess

POLL_SECONDS = 0.2
GRPC_PORT = 8001
RESTART_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: streamer up --broker-port 9092 --allow-root videos")(up)


def up(
    broker_port: Annotated[int, typer.Option(help="Port of the broker; 0 for a free one.")] = 9092,
    triton_port: Annotated[
        int | None,
        typer.Option(help="Port of Triton's gRPC; 0 for a free one. Default: 8001 if it is free."),
    ] = None,
    triton: TritonOption = None,
    bootstrap: BootstrapOption = None,
    models: ModelsOption = None,
    allow_root: AllowRootOption = None,
    log_dir: LogDirOption = DEFAULT_LOG_DIR,
    config: ConfigOption = None,
) -> None:
    """Start broker, Triton and worker here and keep them up until Ctrl-C; for development.

    Files below the current folder and addresses of this machine may be read. A worker that is
    killed is started again.
    """
    grpc_port, roots = _grpc_port(triton_port), [*(allow_root or []), Path.cwd()]
    settings = local_settings(config, triton, bootstrap, roots, [], None, None)
    with ExitStack() as services:
        if bootstrap is None:
            settings = with_broker(services, settings, broker_port or None, log_dir)
        if triton is None:
            settings = with_triton(services, settings, models, log_dir, grpc_port)
        worker = start_worker(services, settings, log_dir)
        Console(soft_wrap=True, highlight=False).print(_addresses(settings, log_dir))
        _until_interrupted(worker, lambda: start_worker(services, settings, log_dir))


def _grpc_port(chosen: int | None) -> int | None:
    """The port to try: as chosen, where a taken one is an error, or the usual one; None for any."""
    from streamer.embedded.ports import LOOPBACK, is_free

    if chosen and not is_free(chosen):
        raise UsageError(f"port {chosen} of {LOOPBACK} is taken: name another")
    wanted = GRPC_PORT if chosen is None else chosen
    return wanted if wanted and is_free(wanted) else None


def _addresses(settings: Settings, log_dir: Path) -> str:
    kafka, port = settings.kafka.bootstrap, settings.telemetry.port
    health = f"health http://localhost:{port}/healthz\n" if port else ""
    return (
        f"Kafka  {kafka}\nTriton {settings.triton.url}\n{health}logs   {log_dir}\n\n"
        f"streamer submit --bootstrap {kafka} https://example.org/a.mp4\n"
        f"streamer watch --bootstrap {kafka}\n\nThe worker joins its group in "
        "some seconds. Ctrl-C stops all."
    )


def _until_interrupted(worker: GuardedProcess, start: Callable[[], GuardedProcess]) -> None:
    """Keep a worker up until Ctrl-C or SIGTERM; one that ends by itself is an error."""
    # Shells start background jobs of scripts with SIGINT ignored; a service stops all the same.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        while (status := worker.poll()) is None or _killed_by(status):
            if status is not None:
                worker = _started_again(worker, status, start)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return
    raise Unavailable(f"the worker ended; see {worker.log}: {worker.last_line()}")


def _killed_by(status: int) -> int:
    """The signal that ended the process or its guard, from its exit status; 0 for none."""
    return -status if status < 0 else max(0, status - 128)


def _started_again(
    killed: GuardedProcess, status: int, start: Callable[[], GuardedProcess]
) -> GuardedProcess:
    """A new worker, as an orchestrator would start one; it goes on with what was not committed."""
    name = signal.Signals(_killed_by(status)).name
    errors.print(f"the worker was killed ({name}; its log: {killed.log}) and is started again")
    time.sleep(RESTART_SECONDS)
    return start()
