"""What has to be asked for: whether Triton is ready, and how far the group is behind.

Each is asked on a thread of its own, so that an answer that does not come stops nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from streamer.config import KafkaSettings
from streamer.errors import Unavailable
from streamer.kafka_clients import make_group_consumer

TRITON_DEADLINE_SECONDS = 2.0
FETCH_MS = 500
# By itself gRPC waits up to two minutes before it tries a lost connection again.
TRITON_CHANNEL = [("grpc.max_reconnect_backoff_ms", 2000)]

log = logging.getLogger(__name__)


def watch(name: str, ask: Callable[[], None], seconds: float, stop: threading.Event) -> None:
    """Call ``ask`` now and every ``seconds`` until ``stop``, on a thread of its own."""

    def run() -> None:
        while not stop.is_set():
            try:
                ask()
            except Exception:  # A watcher that dies would leave its last answer standing.
                log.exception("%s cannot be asked", name)
            stop.wait(seconds)

    threading.Thread(target=run, name=f"watch-{name}", daemon=True).start()


class TritonWatch:
    """Asks the Triton at ``url`` (``host:port``, gRPC) for its readiness."""

    def __init__(self, url: str):
        self._url = url
        self._client = InferenceServerClient(url, channel_args=TRITON_CHANNEL)

    def fault(self) -> str | None:
        """Why Triton is not ready, if it is not; answers within a few seconds."""
        try:
            ready = self._client.is_server_ready(client_timeout=TRITON_DEADLINE_SECONDS)
        except InferenceServerException as error:
            status = str(error.status()).removeprefix("StatusCode.")
            return f"Triton does not answer at {self._url}: {status}"
        return None if ready else f"Triton at {self._url} is not ready: it loads models or ends"


class LagWatch:
    """Asks the broker how far the group has committed, with a consumer that never joins."""

    def __init__(self, settings: KafkaSettings):
        self._settings = settings
        self._consumer: KafkaConsumer | None = None

    def lags(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Messages of each partition that the group has yet to finish.

        Raises:
            Unavailable: if the broker does not answer.
        """
        try:
            return self._asked(list(places))
        except KafkaError as error:
            self._consumer = None
            raise Unavailable(f"the broker does not tell offsets: {error}") from error

    def _asked(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        if not places:
            return {}
        self._consumer = consumer = self._consumer or make_group_consumer(self._settings)
        starts, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
        settled = {place: consumer.committed(place) or starts[place] for place in places}
        # Tansu's end is wrong after batches; what a fetch from there says of it is right.
        consumer.assign(places)
        for place in places:
            consumer.seek(place, max(settled[place], ends[place]))
        consumer.poll(timeout_ms=FETCH_MS)
        ends = {place: max(ends[place], consumer.highwater(place) or 0) for place in places}
        return {place: max(0, ends[place] - settled[place]) for place in places}
