"""How far the group is behind, asked on a thread of its own: no answer stops nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streamer.config import KafkaSettings
from streamer.errors import Unavailable
from streamer.kafka_clients import make_group_consumer

FETCH_MS = 500

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
