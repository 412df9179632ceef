"""Whether Triton answers, asked all the time beside the loop."""

from __future__ import annotations

import threading
import time

from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException

from streamer.config import TritonSettings
from streamer.triton_clients import triton_tls
from streamer_client.connection import channel_options

ASK_SECONDS = 1.0
ANSWER_SECONDS = 2.0
LACKING_SECONDS = 15.0


class TritonWatch:
    """Asks Triton every second, over gRPC, whether it is ready.

    Attributes:
        fault: why it is not, or ``None`` if it is.
    """

    def __init__(self, settings: TritonSettings):
        self._url = settings.url
        options = channel_options(triton_tls(settings))
        self._client = triton.InferenceServerClient(settings.url, **options)
        self._stop = threading.Event()
        self._last_down = float("-inf")
        self._lacking = ""
        self._lacking_until = float("-inf")
        self.fault: str | None = "Triton has not been asked yet"
        self._thread = threading.Thread(target=self._watch, daemon=True, name="triton-watch")

    @property
    def ready(self) -> bool:
        """Whether Triton answered last time, and was ready."""
        return self.fault is None

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def close(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join()
        self._client.close()

    def lacks(self, fault: str) -> None:
        """A job found that a model has died; jobs wait some time, then one finds out again.

        Triton does not know of it, or does not say so.
        """
        self._lacking_until = time.monotonic() + LACKING_SECONDS
        self.fault = self._lacking = fault

    def was_down_since(self, moment: float) -> bool:
        """Whether Triton was not ready at some time after ``moment`` (monotonic) or is not now."""
        self._ask()
        return self._last_down >= moment

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._ask()
            self._stop.wait(ASK_SECONDS)

    def _ask(self) -> None:
        fault = self._found()
        if fault is not None:
            self._last_down = time.monotonic()
        self.fault = fault

    def _found(self) -> str | None:
        try:
            ready = self._client.is_server_ready(client_timeout=ANSWER_SECONDS)
        except InferenceServerException as error:
            status = str(error.status()).removeprefix("StatusCode.")
            return f"Triton does not answer at {self._url}: {status}"
        if not ready:
            return f"Triton at {self._url} is not ready: it loads models or ends"
        return self._lacking if time.monotonic() < self._lacking_until else None
