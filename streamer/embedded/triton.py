"""A Triton server on this machine that ends with this process (Linux only)."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import tritonclient.grpc as grpc_client
from tritonclient.utils import InferenceServerException

from streamer.embedded import shared_memory
from streamer.embedded.footprints import parents_of_dead_stubs
from streamer.embedded.ports import LOOPBACK, free_ports
from streamer.embedded.process import GuardedProcess
from streamer.embedded.shared_memory import RegionPrefix
from streamer.embedded.triton_files import TritonFiles, default_cache_dir, prepare
from streamer.errors import Unavailable, UsageError

KIND: Final = "triton_unavailable"
PORT_CONFLICT: Final = re.compile(r"address already in use|failed to start .* service", re.I)
# In order of preference. A Python traceback follows a literal backslash and n.
TELLING: Final = (
    re.compile(r"failed to load '[^']+' version \d+: .*?(?=\\n|\"?$)", re.M),
    re.compile(r"^E\d{4} (?!.*(CudaDriverHelper|failed to stop)).*$", re.M),
    re.compile(r"^(error:|cannot start).*$", re.M),
)
PORT_TRIES: Final = 4
POLL_SECONDS: Final = 0.1
# Triton's own wait for requests that are under way, and what its models then get to finalize.
EXIT_SECONDS: Final = 5
GRACE_SECONDS: Final = 15.0


@dataclass(frozen=True)
class _Ports:
    grpc: int
    http: int
    metrics: int


class EmbeddedTriton:
    """Serves the model repository ``repository``; its log goes to a file of its own in ``log_dir``.

    ``start_timeout_seconds`` bounds the loading of all models. ``cache_dir`` keeps the backend
    beside its stub between runs (default: ``$XDG_CACHE_HOME/streamer`` or ``~/.cache/streamer``).
    Everything listens on 127.0.0.1 alone; gRPC on ``port`` unless it is taken. The models run with
    the packages of this environment.

    >>> with EmbeddedTriton(Path("models"), log_dir=Path("logs")) as triton:  # doctest: +SKIP
    ...     InferenceServerClient(triton.url)
    """

    def __init__(
        self,
        repository: Path,
        *,
        log_dir: Path,
        start_timeout_seconds: float = 300.0,
        cache_dir: Path | None = None,
        port: int | None = None,
    ):
        self._repository = repository.absolute()
        self._log_dir = log_dir
        self._start_timeout_seconds = start_timeout_seconds
        self._cache_dir = cache_dir or default_cache_dir()
        self._wanted_port = port
        self._regions: RegionPrefix | None = None
        self._process: GuardedProcess | None = None
        self._ports: _Ports | None = None

    @property
    def url(self) -> str:
        """``HOST:PORT`` of the gRPC service."""
        return f"{LOOPBACK}:{self._started_ports.grpc}"

    @property
    def http_url(self) -> str:
        """``HOST:PORT`` of the HTTP service."""
        return f"{LOOPBACK}:{self._started_ports.http}"

    @property
    def metrics_url(self) -> str:
        """URL of the Prometheus metrics."""
        return f"http://{LOOPBACK}:{self._started_ports.metrics}/metrics"

    @property
    def log(self) -> Path:
        """File of the server's output."""
        return self._started_process.log

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._started_process.pid

    @property
    def _started_ports(self) -> _Ports:
        if self._ports is None:
            raise RuntimeError("the server has not been started")
        return self._ports

    @property
    def _started_process(self) -> GuardedProcess:
        if self._process is None:
            raise RuntimeError("the server has not been started")
        return self._process

    def start(self) -> None:
        """Start the server and wait until every model of the repository is ready.

        Raises :class:`UsageError` if the environment or the repository does not fit, and
        :class:`Unavailable` (``triton_unavailable``) that names the log and its last telling line.
        """
        if not self._repository.is_dir():
            raise UsageError(f"no model repository at {self._repository}: streamer models build")
        files = prepare(self._cache_dir)
        shared_memory.sweep()
        deadline = time.monotonic() + self._start_timeout_seconds
        try:
            self._start_on_free_ports(files, deadline)
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Raise :class:`Unavailable` (``triton_unavailable``) if it or a model of it has ended."""
        process = self._started_process
        status = process.poll()
        if status is not None:
            raise self._failure(f"Triton ended with status {status}")
        if process.pid in parents_of_dead_stubs():
            raise Unavailable(f"the process of a model has ended; see {process.log}", kind=KIND)

    def stop(self) -> None:
        """Stop the server and remove its shared memory; may be repeated."""
        if self._process is not None:
            self._process.stop()
        if self._regions is not None:
            self._regions.release()
            self._regions = None

    def _start_on_free_ports(self, files: TritonFiles, deadline: float) -> None:
        """A free port may be taken before Triton binds it, which is after it loaded the models."""
        for tries_left in reversed(range(PORT_TRIES)):
            self._start_once(files)
            if self._wait_until_ready(deadline):
                return
            if not tries_left or not self._lost_a_port():
                raise self._failure("Triton did not start")
            self.stop()
            self._wanted_port = None

    def _start_once(self, files: TritonFiles) -> None:
        grpc, http, metrics = free_ports(3)
        self._ports = _Ports(self._wanted_port or grpc, http, metrics)
        self._regions = RegionPrefix()
        self._process = GuardedProcess(
            self._command(files, self._ports, self._regions.name),
            log=self._log_dir / f"triton-{self._ports.grpc}.log",
            env=files.environment,
            grace_seconds=GRACE_SECONDS,
            inherit=(self._regions.lock,),
        )
        self._process.start()

    def _command(self, files: TritonFiles, ports: _Ports, prefix: str) -> list[str]:
        return [
            str(files.server),
            f"--id={prefix}",
            f"--model-repository={self._repository}",
            f"--backend-directory={files.backends}",
            f"--backend-config=python,shm-region-prefix-name={prefix}",
            f"--grpc-address={LOOPBACK}",
            f"--grpc-port={ports.grpc}",
            f"--http-address={LOOPBACK}",
            f"--http-port={ports.http}",
            f"--metrics-address={LOOPBACK}",
            f"--metrics-port={ports.metrics}",
            f"--exit-timeout-secs={EXIT_SECONDS}",
        ]

    def _wait_until_ready(self, deadline: float) -> bool:
        """False as soon as the process has ended; raises :class:`Unavailable` at the deadline."""
        process = self._started_process
        with grpc_client.InferenceServerClient(self.url) as client:
            while process.poll() is None:
                if self._answers(client):
                    return True
                if time.monotonic() > deadline:
                    seconds = f"{self._start_timeout_seconds:g}"
                    raise self._failure(f"Triton was not ready within {seconds} s")
                time.sleep(POLL_SECONDS)
        return False

    def _answers(self, client: grpc_client.InferenceServerClient) -> bool:
        """Whether this very server is ready: another one may have won the race for the port."""
        try:
            ready = client.is_server_ready(client_timeout=1.0)
            name = client.get_server_metadata(client_timeout=1.0).name if ready else None
        except InferenceServerException:
            return False
        return self._regions is not None and name == self._regions.name

    def _lost_a_port(self) -> bool:
        return bool(PORT_CONFLICT.search(self.log.read_text(errors="replace")))

    def _failure(self, what: str) -> Unavailable:
        process = self._started_process
        return Unavailable(f"{what}; see {process.log}: {process.last_line(*TELLING)}", kind=KIND)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
