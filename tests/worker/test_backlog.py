"""Whose turn it is."""

from __future__ import annotations

from streamer.worker.attempt import Attempt
from streamer.worker.backlog import Backlog, Work
from streamer.worker.message import Message
from streamer_client.records import VideoJob
from streamer_client.topics import Topics

TOPICS = Topics("p.")


def work(topic: str, offset: int, due: float = 0.0) -> Work:
    message = Message(topic, 0, offset, b"")
    attempt = Attempt(1, 0, 0, (topic, 0, offset), "")
    return Work(message, VideoJob(url=f"{topic}/{offset}"), attempt, due)


def order(backlog: Backlog, now: float) -> list[tuple[str, int]]:
    taken = []
    while (each := backlog.next(now)) is not None:
        taken.append((each.message.topic, each.message.offset))
    return taken


def test_priority_goes_first_and_retries_wait_until_they_are_due() -> None:
    backlog = Backlog(TOPICS, ahead=2)
    for each in (
        work(TOPICS.videos, 0),
        work(TOPICS.retry, 0, due=300),
        work(TOPICS.retry, 1, due=100),
        work(TOPICS.priority, 0),
        work(TOPICS.videos, 1),
    ):
        backlog.put(each)
    assert not backlog.wants(TOPICS.videos)
    assert backlog.wants(TOPICS.priority)
    assert order(backlog, now=100) == [
        (TOPICS.priority, 0),
        (TOPICS.retry, 1),
        (TOPICS.videos, 0),
        (TOPICS.videos, 1),
    ]
    assert order(backlog, now=299) == []
    assert order(backlog, now=300) == [(TOPICS.retry, 0)]


def test_what_comes_back_is_next() -> None:
    backlog = Backlog(TOPICS, ahead=1)
    backlog.put(work(TOPICS.videos, 1))
    backlog.put_back(work(TOPICS.videos, 0))
    assert order(backlog, now=0) == [(TOPICS.videos, 0), (TOPICS.videos, 1)]


def test_jobs_of_others_are_dropped() -> None:
    backlog = Backlog(TOPICS, ahead=1)
    for topic in (TOPICS.priority, TOPICS.videos, TOPICS.retry):
        backlog.put(work(topic, 0))
    backlog.drop(lambda message: message.topic != TOPICS.retry)
    assert order(backlog, now=0) == [(TOPICS.retry, 0)]
