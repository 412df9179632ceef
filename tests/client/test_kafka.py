"""Jobs in by `Producer`, results out by `Clips` and `wait`, on the real broker."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import suppress

import pytest
from kafka import KafkaProducer

from streamer.config import Settings
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.ports import free_ports
from streamer.kafka_clients import make_producer
from streamer_client import (
    BadRecord,
    BrokerUnavailable,
    ClientError,
    ClipBoundary,
    ClipCaption,
    Clips,
    Producer,
    VideoDone,
    VideoJob,
    WaitTimeout,
    video_id_of,
    wait,
)
from streamer_client.records import Record
from tests.client.records import boundary, caption, done
from tests.e2e.installation import Installation

pytestmark = pytest.mark.services

WAIT_SECONDS = 120.0
SESSION = {"session_timeout_ms": 3000, "heartbeat_interval_ms": 1000}


class Service:
    """Topics of their own, and what a worker would write on them."""

    def __init__(self, bootstrap: str):
        self.bootstrap, self.prefix = bootstrap, f"client-{uuid.uuid4().hex}."
        kafka = {"bootstrap": bootstrap, "topic_prefix": self.prefix, "partitions": 3}
        self.installed = Installation(Settings().with_section("kafka", **kafka))
        self.topics = self.installed.topics
        self._producer = make_producer(self.installed.settings.kafka)

    def say(self, *records: Record, producer: KafkaProducer | None = None) -> None:
        """Write records; returns when the broker has them."""
        for record in records:
            key = record.model_dump()["video_id"].encode()
            value = record.to_bytes()
            (producer or self._producer).send(self.topics.of(record), value, key).get(60)

    def say_bytes(self, value: bytes) -> None:
        self._producer.send(self.topics.done, value, b"v").get(60)

    def clips(self, **options: object) -> Clips:
        return Clips(self.bootstrap, topic_prefix=self.prefix, **options)  # type: ignore[arg-type]


@pytest.fixture
def service(broker: EmbeddedBroker) -> Service:
    return Service(broker.bootstrap)


def first(clips: Clips, count: int) -> list[object]:
    return list(itertools.islice(clips, count))


def video(name: str, clips: int = 2) -> list[Record]:
    said = [each(name, index) for index in range(clips) for each in (boundary, caption)]
    return [*said, done(name, clips)]


def test_a_submitted_video_is_a_job(service: Service) -> None:
    with Producer(service.bootstrap, topic_prefix=service.prefix) as producer:
        video_id = producer.submit("https://example.org/a.mp4", metadata={"title": "A"})
    assert video_id == video_id_of("https://example.org/a.mp4")
    assert jobs(service) == [VideoJob(url="https://example.org/a.mp4", metadata={"title": "A"})]


def test_many_videos_and_their_progress(service: Service) -> None:
    urls = [f"https://example.org/{number}.mp4" for number in range(1500)]
    told: list[int] = []
    with Producer(service.bootstrap, topic_prefix=service.prefix) as producer:
        ids = producer.submit_many(iter(urls), progress=told.append)
    assert ids == [video_id_of(url) for url in urls]
    assert told == list(range(1, 1501))
    assert sorted(job.url for job in jobs(service)) == sorted(urls)


def jobs(service: Service) -> list[VideoJob]:
    entries = service.installed.read(service.topics.videos)
    return [VideoJob.from_bytes(entry.value) for entry in entries]


def test_all_of_two_videos_and_no_more(service: Service) -> None:
    service.say(*video("a"), *video("b"), *video("c"))
    with service.clips(video_ids=["a", "c"], start="beginning") as clips:
        records = list(clips)
    assert {record.video_id for record in records} == {"a", "c"}
    kinds = [type(record) for record in records if record.video_id == "a"]
    assert sorted(kinds, key=str) == sorted(
        [ClipBoundary] * 2 + [ClipCaption] * 2 + [VideoDone], key=str
    )


def test_kinds(service: Service) -> None:
    service.say(*video("a"))
    with service.clips(video_ids=["a"], kinds=[ClipCaption], start="beginning") as clips:
        assert [type(record) for record in clips] == [ClipCaption] * 2


def test_new_records_alone(service: Service) -> None:
    service.say(*video("a"))
    with service.clips() as clips:
        service.say(*video("b", clips=0))
        assert first(clips, 1) == [done("b", 0)]


def test_going_on_from_offsets(service: Service) -> None:
    service.say(*video("a", clips=4))
    with service.clips(start="beginning") as clips:
        before = first(clips, 3)
        offsets = clips.offsets
    with service.clips(start=offsets) as clips:
        after = first(clips, 6)
    assert sorted(map(repr, before + after)) == sorted(map(repr, video("a", clips=4)))


def test_a_group_goes_on_where_it_stopped(service: Service) -> None:
    service.say(*video("a", clips=4))
    group = {"group": f"{service.prefix}group", "start": "beginning", **SESSION}
    with service.clips(**group) as clips:
        before = first(clips, 3)
    with service.clips(**group) as clips:
        after = first(clips, 6)
    assert sorted(map(repr, before + after)) == sorted(map(repr, video("a", clips=4)))


def test_a_group_reads_again_what_was_not_handled(service: Service) -> None:
    service.say(*video("a", clips=0))
    group = {"group": f"{service.prefix}group", "start": "beginning", **SESSION}
    with suppress(ZeroDivisionError), service.clips(**group) as clips:
        assert first(clips, 1) == [done("a", 0)]
        _ = 1 / 0  # A bug of whoever handles it.
    with service.clips(**group) as clips:
        assert first(clips, 1) == [done("a", 0)]


def test_a_group_has_its_own_offsets(service: Service) -> None:
    with pytest.raises(ValueError, match="offsets or a group"):
        service.clips(group="g", start={"videos.done/0": 1})


@pytest.fixture
def transactional(service: Service) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(
        bootstrap_servers=service.bootstrap, transactional_id=service.prefix, acks="all"
    )
    producer.init_transactions()
    yield producer
    producer.close()


def test_open_and_aborted_transactions_are_held_back(
    service: Service, transactional: KafkaProducer
) -> None:
    transactional.begin_transaction()
    service.say(*video("a"), producer=transactional)
    with service.clips(video_ids=["a"], start="beginning") as clips:
        assert list(clips.poll(1.0)) == []
        transactional.abort_transaction()
        transactional.begin_transaction()
        service.say(*video("a"), producer=transactional)
        assert list(clips.poll(1.0)) == []
        transactional.commit_transaction()
        assert sorted(map(repr, clips)) == sorted(map(repr, video("a")))


def test_waiting_for_a_video(service: Service) -> None:
    service.say(boundary("b", 0), boundary("a", 1), *video("a", clips=1))
    outcome = wait("a", WAIT_SECONDS, kafka=service.bootstrap, topic_prefix=service.prefix)
    assert outcome.done == done("a", 1)
    assert outcome.clips == (caption("a", 0), boundary("a", 1))


def test_waiting_in_vain(service: Service) -> None:
    with pytest.raises(TimeoutError, match=r"video nobody was not done within 0\.1 s") as caught:
        wait("nobody", 0.1, kafka=service.bootstrap, topic_prefix=service.prefix)
    assert isinstance(caught.value, WaitTimeout)


def test_an_unreadable_record_is_named_and_passed(service: Service) -> None:
    service.say_bytes(b'{"video_id": "v", "url": "u", "status": "postponed"}')
    service.say(done("v", 0))
    with service.clips(start="beginning") as clips:
        with pytest.raises(BadRecord, match=r"videos\.done/\d at offset 0: status"):
            first(clips, 1)
        assert first(clips, 1) == [done("v", 0)]


def test_topics_that_are_not_there(broker: EmbeddedBroker) -> None:
    with pytest.raises(ClientError, match=r"there are no topics nowhere\.clips\.boundaries"):
        Clips(broker.bootstrap, topic_prefix="nowhere.")


@pytest.mark.parametrize("client", [Producer, Clips])
def test_no_broker(client: type[Producer | Clips]) -> None:
    (port,) = free_ports(1)
    with pytest.raises(BrokerUnavailable, match=f"no Kafka broker answers at 127.0.0.1:{port}"):
        client(f"127.0.0.1:{port}", bootstrap_timeout_ms=200)
