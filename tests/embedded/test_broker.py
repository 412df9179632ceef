"""The embedded broker against a real client."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.ports import free_ports
from streamer.errors import Unavailable, UsageError
from tests.embedded.conftest import has_ended, runs, wait_until

pytestmark = pytest.mark.services


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(log_dir=tmp_path / "logs") as started:
        yield started


def produce(bootstrap: str, values: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for value in values:
        producer.send("videos", value, key=value, headers=[("ce_id", value)]).get(60)
    producer.close()


def make_consumer(bootstrap: str) -> KafkaConsumer:
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id="group",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=3000,
        heartbeat_interval_ms=1000,
    )
    consumer.subscribe(["videos"])
    return consumer


def consume(consumer: KafkaConsumer, count: int) -> set[tuple[bytes, bytes, bytes]]:
    """Read ``count`` records and commit them; key, value and the header of each."""
    seen: set[tuple[bytes, bytes, bytes]] = set()

    def enough() -> bool:
        for partition, records in consumer.poll(200).items():
            seen.update((record.key, record.value, record.headers[0][1]) for record in records)
            after = OffsetAndMetadata(records[-1].offset + 1, "", -1)
            consumer.commit({partition: after})
        return len(seen) >= count

    wait_until(enough)
    return seen


def test_a_group_takes_up_where_it_left(broker: EmbeddedBroker) -> None:
    produce(broker.bootstrap, [b"a", b"b", b"c"])
    first = make_consumer(broker.bootstrap)
    assert consume(first, 3) == {(b"a",) * 3, (b"b",) * 3, (b"c",) * 3}
    first.close()
    produce(broker.bootstrap, [b"d"])
    second = make_consumer(broker.bootstrap)
    assert consume(second, 1) == {(b"d",) * 3}
    second.close()


def test_two_brokers_side_by_side(broker: EmbeddedBroker, tmp_path: Path) -> None:
    with EmbeddedBroker(log_dir=tmp_path / "logs") as other:
        assert other.bootstrap != broker.bootstrap
        produce(broker.bootstrap, [b"here"])
        produce(other.bootstrap, [b"there"])
        assert values(broker.bootstrap) == [b"here"]
        assert values(other.bootstrap) == [b"there"]


def values(bootstrap: str) -> list[bytes]:
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    wait_until(lambda: bool(consumer.partitions_for_topic("videos")))
    parts = consumer.partitions_for_topic("videos") or set()
    consumer.assign([TopicPartition("videos", part) for part in parts])
    found: list[bytes] = []

    def some() -> bool:
        for records in consumer.poll(200).values():
            found.extend(record.value for record in records)
        return bool(found)

    wait_until(some)
    consumer.close()
    return found


def test_a_given_port_is_used_and_a_taken_one_refused(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with EmbeddedBroker(log_dir=tmp_path, port=port) as broker:
        assert broker.bootstrap == f"127.0.0.1:{port}"
        with pytest.raises(UsageError, match=f"port {port} .* is taken"):
            EmbeddedBroker(log_dir=tmp_path / "second", port=port).start()


def test_a_port_that_was_taken_in_between_is_replaced(
    broker: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(broker.bootstrap.rpartition(":")[2])
    drawn = iter([(taken, *free_ports(1)), (*free_ports(1), taken)])
    monkeypatch.setattr(
        "streamer.embedded.broker.free_ports", lambda count: next(drawn, None) or free_ports(count)
    )
    with EmbeddedBroker(log_dir=tmp_path / "other") as other:
        assert other.bootstrap != broker.bootstrap


def test_clients_come_back_after_their_connections_were_cut(broker: EmbeddedBroker) -> None:
    host, _, port = broker.bootstrap.rpartition(":")
    with socket.create_connection((host, int(port))) as client:
        wait_until(lambda: cut(broker, client))
    produce(broker.bootstrap, [b"after"])


def cut(broker: EmbeddedBroker, client: socket.socket) -> bool:
    """Whether the client has met the end of its connection."""
    broker.drop_connections()
    client.settimeout(1)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_a_broker_that_died_is_noticed(broker: EmbeddedBroker) -> None:
    broker.check()
    os.kill(broker.pid, signal.SIGKILL)
    wait_until(lambda: not runs(broker.pid))
    wait_until(lambda: has_ended(broker.check))
    with pytest.raises(Unavailable, match=str(broker.log)):
        broker.check()
