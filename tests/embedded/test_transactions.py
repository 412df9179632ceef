"""What readers of committed records see of transactions on the embedded broker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

from streamer.embedded.broker import EmbeddedBroker
from tests.embedded.conftest import wait_until

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(log_dir=tmp_path_factory.mktemp("logs")) as broker:
        yield broker


@pytest.fixture
def topic() -> str:
    return f"results-{uuid.uuid4()}"


@pytest.fixture
def producer(started: EmbeddedBroker) -> Iterator[Any]:
    client = KafkaProducer(
        bootstrap_servers=started.bootstrap, transactional_id=str(uuid.uuid4()), retry_backoff_ms=50
    )
    client.init_transactions()
    yield client
    client.close()


def say(producer: Any, topic: str, *values: bytes) -> None:
    """Produce in the transaction that is open, and wait until that is acknowledged."""
    for future in [producer.send(topic, value, partition=0) for value in values]:
        future.get(60)


def seen(broker: EmbeddedBroker, topic: str) -> list[bytes]:
    """The committed records that stand before a marker, which is produced now."""
    marker = KafkaProducer(bootstrap_servers=broker.bootstrap)
    marker.send(topic, b"marker", partition=0).get(60)
    marker.close()
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    found: list[bytes] = []

    def to_the_marker() -> bool:
        found.extend(each.value for some in consumer.poll(100).values() for each in some)
        return b"marker" in found

    wait_until(to_the_marker)
    consumer.close()
    return [value for value in found if value != b"marker"]


def position(broker: EmbeddedBroker, topic: str) -> int | None:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, group_id="group")
    committed: int | None = consumer.committed(TopicPartition(topic, 0))
    consumer.close()
    return committed


def commit_offset(producer: Any, topic: str, offset: int) -> None:
    offsets = {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)}
    producer.send_offsets_to_transaction(offsets, ConsumerGroupMetadata("group", -1, "", None))


def test_a_committed_one_is_seen_with_its_offsets(
    started: EmbeddedBroker, producer: Any, topic: str
) -> None:
    for number in range(2):
        producer.begin_transaction()
        say(producer, topic, b"%d" % number)
        commit_offset(producer, topic, number + 1)
        producer.commit_transaction()
    assert seen(started, topic) == [b"0", b"1"]
    assert position(started, topic) == 2


def test_an_open_one_is_not_seen(started: EmbeddedBroker, producer: Any, topic: str) -> None:
    producer.begin_transaction()
    say(producer, topic, b"open")
    commit_offset(producer, topic, 5)
    assert seen(started, topic) == []
    assert not position(started, topic)
    producer.abort_transaction()


def test_an_aborted_one_is_not_seen(started: EmbeddedBroker, producer: Any, topic: str) -> None:
    producer.begin_transaction()
    say(producer, topic, b"aborted")
    commit_offset(producer, topic, 5)
    producer.abort_transaction()
    producer.begin_transaction()
    say(producer, topic, b"committed")
    producer.commit_transaction()
    assert seen(started, topic) == [b"committed"]
    assert not position(started, topic)


def test_one_is_seen_once_although_connections_were_cut(
    started: EmbeddedBroker, producer: Any, topic: str
) -> None:
    for number in range(10):
        producer.begin_transaction()
        futures = [
            producer.send(topic, b"%d.%d" % (number, part), partition=0) for part in range(3)
        ]
        started.drop_connections()
        for future in futures:
            future.get(60)
        started.drop_connections()
        producer.commit_transaction()
    expected = [b"%d.%d" % (number, part) for number in range(10) for part in range(3)]
    assert seen(started, topic) == expected


def test_what_is_in_no_transaction_is_seen_at_once(started: EmbeddedBroker, topic: str) -> None:
    plain = KafkaProducer(bootstrap_servers=started.bootstrap, acks=0)
    plain.send(topic, b"unacknowledged", partition=0).get(60)
    plain.flush()
    assert seen(started, topic) == [b"unacknowledged"]
    plain.close()
