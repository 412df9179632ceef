"""Connections to Kafka."""

from __future__ import annotations

from typing import Any, TypeVar

from kafka.errors import KafkaError

from streamer_client.errors import BrokerUnavailable

T = TypeVar("T")

BOOTSTRAP_MS = 10_000
MAX_MESSAGE_BYTES = 5 << 20


def connect(client: type[T], bootstrap: str, options: dict[str, Any]) -> T:
    """A kafka-python client.

    Args:
        client: its class.
        bootstrap: ``host:port[,host:port…]``.
        options: as kafka-python names them, such as ``security_protocol``.

    Raises:
        BrokerUnavailable: if no broker answers.
    """
    where = {"bootstrap_servers": bootstrap.split(","), "bootstrap_timeout_ms": BOOTSTRAP_MS}
    try:
        return client(**{**where, **options})
    except KafkaError as error:
        raise BrokerUnavailable(
            f"no Kafka broker answers at {bootstrap} ({type(error).__name__}); check that it runs "
            "and that the address is right"
        ) from error
