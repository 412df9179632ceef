"""kafka-python clients made from the settings: the one place that knows their option names."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from streamer.config import KafkaSettings
from streamer.errors import Unavailable
from streamer_client.topics import Topics

MAX_MESSAGE_BYTES = 5 << 20
# A worker takes all that it has fetched; a single message may be larger.
INTAKE_BYTES = 1 << 16
BOOTSTRAP_MS = 10_000
# The embedded broker does not wake a fetch that waits, so a record may be this late.
FETCH_WAIT_MS = 100

log = logging.getLogger(__name__)


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """Options every client takes."""
    password = settings.sasl_password
    options = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "security_protocol": settings.security_protocol,
        "ssl_cafile": str(settings.ssl_cafile) if settings.ssl_cafile else None,
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": password.get_secret_value() if password else None,
    }
    return {name: value for name, value in options.items() if value is not None}


def make_consumer(settings: KafkaSettings, **options: Any) -> KafkaConsumer:
    """A consumer that commits nothing by itself and sees no record of an aborted transaction.

    Raises:
        Unavailable: if no broker answers.
    """
    return _connected(
        KafkaConsumer,
        settings,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        **{"max_partition_fetch_bytes": MAX_MESSAGE_BYTES, **options},
    )


def make_group_consumer(settings: KafkaSettings, **options: Any) -> KafkaConsumer:
    """A member of the workers' group.

    Raises:
        Unavailable: if no broker answers.
    """
    session_ms = int(settings.session_timeout_seconds * 1000)
    return make_consumer(
        settings,
        group_id=settings.group,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 3,
        max_partition_fetch_bytes=INTAKE_BYTES,
        fetch_max_bytes=16 * INTAKE_BYTES,
        **options,
    )


def is_member_since(consumer: KafkaConsumer, moment: float) -> bool:
    """Whether a heartbeat that a group's member sent after ``moment`` (monotonic) was answered.

    The client has no public name for it.
    """
    heartbeat = consumer._coordinator.heartbeat
    return bool(moment < heartbeat.last_send <= heartbeat.last_receive)


def make_producer(settings: KafkaSettings, **options: Any) -> KafkaProducer:
    """An idempotent producer that waits for all replicas.

    Raises:
        Unavailable: if no broker answers.
    """
    return _connected(
        KafkaProducer,
        settings,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_MESSAGE_BYTES,
        linger_ms=5,
        **options,
    )


def make_transactional_producer(settings: KafkaSettings) -> KafkaProducer:
    """A producer of transactions, under an id that no other process has.

    Raises:
        Unavailable: if no broker answers, or none that has transactions.
    """
    transactional_id = f"{settings.topic_prefix}{settings.group}-{uuid.uuid4()}"
    producer = make_producer(settings, transactional_id=transactional_id)
    try:
        producer.init_transactions()
    except KafkaError as error:
        raise Unavailable(
            f"the broker at {settings.bootstrap} starts no transactions "
            f"({type(error).__name__}: {error}); use one that has them, or set worker.delivery to "
            "at-least-once",
            kind="kafka_unavailable",
        ) from error
    return producer


def create_topics(settings: KafkaSettings) -> list[str]:
    """Create the topics that are missing; returns their names.

    Raises:
        Unavailable: if no broker answers.
    """
    admin = _connected(KafkaAdminClient, settings)
    try:
        present = set(admin.list_topics())
        missing = [name for name in Topics(settings.topic_prefix).all if name not in present]
        if missing:
            _create(admin, settings, missing)
        return missing
    finally:
        admin.close()


def _create(admin: KafkaAdminClient, settings: KafkaSettings, names: list[str]) -> None:
    configs = {
        "retention.ms": str(int(settings.retention_hours * 3_600_000)),
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    }
    topics = [
        NewTopic(name, settings.partitions, settings.replication, topic_configs=configs)
        for name in names
    ]
    try:
        admin.create_topics(topics)
    except TopicAlreadyExistsError:
        log.info("another process created the topics at the same time")


def _connected(client: Any, settings: KafkaSettings, **options: Any) -> Any:
    try:
        return client(**connection_options(settings), **options)
    except KafkaError as error:
        raise Unavailable(
            f"no Kafka broker answers at {settings.bootstrap} ({type(error).__name__}); check "
            "that it runs and that kafka.bootstrap or --bootstrap is right",
            kind="kafka_unavailable",
        ) from error
