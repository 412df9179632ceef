"""``/healthz``, ``/readyz`` and ``/metrics`` over HTTP."""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST

from streamer.errors import UsageError
from streamer.telemetry.health import Health
from streamer.telemetry.metrics import Metrics

TEXT = "text/plain; charset=utf-8"
CLIENT_SECONDS = 5.0

log = logging.getLogger(__name__)


class TelemetryServer:
    """Serves from threads of its own until closed.

    Raises:
        UsageError: if the address cannot be bound.
    """

    def __init__(self, host: str, port: int, metrics: Metrics, health: Health):
        try:
            self._server = _Server((host, port), metrics, health)
        except OSError as error:
            raise UsageError(
                f"telemetry cannot listen on {host}:{port}: {error.strerror}; set telemetry.port "
                "or telemetry.host to an address of this machine that is free"
            ) from error
        threading.Thread(
            target=self._server.serve_forever, name="telemetry-server", daemon=True
        ).start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], metrics: Metrics, health: Health):
        self.metrics, self.health = metrics, health
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = CLIENT_SECONDS

    def do_GET(self) -> None:
        """Answer a probe or a scrape."""
        match self.path.partition("?")[0]:
            case "/healthz":
                self._reply_unless(self.server.health.stuck())
            case "/readyz":
                self._reply_unless(self.server.health.unready())
            case "/metrics":
                self._reply(HTTPStatus.OK, CONTENT_TYPE_LATEST, self.server.metrics.exposition())
            case _:
                self._reply(HTTPStatus.NOT_FOUND, TEXT, b"try /healthz, /readyz or /metrics\n")

    def _reply_unless(self, fault: str | None) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE if fault else HTTPStatus.OK
        self._reply(status, TEXT, f"{fault or 'ok'}\n".encode())

    def _reply(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Probes come every few seconds."""
        log.debug(format, *args)
