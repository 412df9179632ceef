"""Jobs that were read and have not started: by priority, and retries until they are due."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from streamer.worker.attempt import Attempt
from streamer.worker.message import Message
from streamer_client.records import VideoJob
from streamer_client.topics import Topics

# Retries wait here, uncommitted; with so many the topic is read no further.
WAITING_RETRIES = 200


@dataclass(frozen=True)
class Work:
    """A job, where it came from, which try of it this is, and when that is due (monotonic).

    ``spared``: a model had died under it before, which was not counted as a try.
    """

    message: Message
    job: VideoJob
    attempt: Attempt
    due: float
    spared: bool = False


class Backlog:
    """Hands out the next job: ``videos.priority`` first, then retries that are due, then others.

    Args:
        topics: names of the topics.
        ahead: jobs to have ready per topic, so that a slot never waits for the broker.
    """

    def __init__(self, topics: Topics, ahead: int):
        self._topics = topics
        self._ahead = ahead
        self._ready: dict[str, deque[Work]] = {topics.priority: deque(), topics.videos: deque()}
        self._waiting: list[tuple[float, int, Work]] = []
        self._numbers = itertools.count()

    def wants(self, topic: str) -> bool:
        """Whether more of the topic should be read."""
        if topic == self._topics.retry:
            return len(self._waiting) < WAITING_RETRIES
        return len(self._ready[topic]) < self._ahead

    def put(self, work: Work) -> None:
        """Keep a job until its turn."""
        if work.message.topic == self._topics.retry:
            entry = (work.due, next(self._numbers), work)
            heapq.heappush(self._waiting, entry)
        else:
            self._ready[work.message.topic].append(work)

    def put_back(self, work: Work) -> None:
        """Keep a job that could not be worked on; it is the next of its topic."""
        if work.message.topic == self._topics.retry:
            self.put(work)
        else:
            self._ready[work.message.topic].appendleft(work)

    def next(self, now: float) -> Work | None:
        """Take the job whose turn it is at ``now`` (``time.monotonic``), if there is one."""
        if self._ready[self._topics.priority]:
            return self._ready[self._topics.priority].popleft()
        if self._waiting and self._waiting[0][0] <= now:
            return heapq.heappop(self._waiting)[2]
        videos = self._ready[self._topics.videos]
        return videos.popleft() if videos else None

    def drop(self, unwanted: Callable[[Message], bool]) -> None:
        """Forget jobs that others will read."""
        for jobs in self._ready.values():
            kept = [work for work in jobs if not unwanted(work.message)]
            jobs.clear()
            jobs.extend(kept)
        self._waiting = [entry for entry in self._waiting if not unwanted(entry[2].message)]
        heapq.heapify(self._waiting)
