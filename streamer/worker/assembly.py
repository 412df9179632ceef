"""A worker, put together from its settings."""

from __future__ import annotations

from functools import partial

from kafka import KafkaConsumer

from streamer.config import Settings
from streamer.kafka_clients import (
    is_member_since,
    make_group_consumer,
    make_producer,
    make_transactional_producer,
)
from streamer.telemetry import Telemetry
from streamer.worker.delivery import Delivery, Offsets
from streamer.worker.delivery_at_least_once import AtLeastOnce
from streamer.worker.delivery_exactly_once import ExactlyOnce
from streamer.worker.membership import Membership
from streamer.worker.supervisor import Supervisor


def make_worker(settings: Settings, telemetry: Telemetry) -> Supervisor:
    """A worker that is connected to its broker and reads nothing yet.

    Raises:
        Unavailable: if no broker answers, or it has no transactions and they are asked for.
    """
    consumer, offsets = make_group_consumer(settings.kafka), Offsets()
    membership = Membership(
        settings.kafka.session_timeout_seconds, partial(is_member_since, consumer)
    )
    delivery = _delivery(settings, consumer, offsets, membership.lease_seconds)
    return Supervisor(settings, consumer, offsets, delivery, membership, telemetry)


def _delivery(
    settings: Settings, consumer: KafkaConsumer, offsets: Offsets, lease_seconds: float
) -> Delivery:
    if settings.worker.delivery == "exactly-once":
        producer = make_transactional_producer(settings.kafka)
        return ExactlyOnce(producer, consumer, offsets, lease_seconds)
    return AtLeastOnce(make_producer(settings.kafka), consumer, offsets)
