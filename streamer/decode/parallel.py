"""Decodes groups of packets side by side, each in a decoder of its own.

Frame threads inside one decoder wait for each other's references, which costs two of them a third
of the processors' time here. Decoders of groups that need nothing of each other never wait, and
scale their frames in the same threads.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from streamer.decode.group_decoder import GroupDecoder, Picture
from streamer.decode.groups import Group, GroupReader
from streamer.decode.packets import VideoPacket


class ParallelDecoder:
    """Several decoders that work on neighbouring groups at once."""

    def __init__(self, groups: GroupReader, decoders: list[GroupDecoder]) -> None:
        self._groups, self._count = groups, len(decoders)
        self._idle: SimpleQueue[GroupDecoder] = SimpleQueue()
        for decoder in decoders:
            self._idle.put(decoder)
        self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="decode")
        self._pending: deque[tuple[Group, Future[list[Picture] | None]]] = deque()
        self._closed = False

    def pictures(self) -> Iterator[Picture]:
        """Pictures in presentation order, up to the first group that is not regular or sound."""
        for group in self._groups.read():
            self._pending.append((group, self._threads.submit(self._work, group)))
            if len(self._pending) > self._count and (yield from self._oldest()):
                return
        while self._pending:
            if (yield from self._oldest()):
                return

    def left(self) -> Iterator[VideoPacket]:
        """The packets that did not become pictures; the first is an entry point, if any is."""
        taken = (packet for group, _ in self._pending for packet in group.packets)
        return itertools.chain(taken, self._groups.rest())

    def close(self) -> None:
        """Stop; waits until the decoders are let go of."""
        self._closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _oldest(self) -> Generator[Picture, None, bool]:
        """The pictures of the group that was taken first; whether that was the last of them."""
        pictures = None if self._closed else self._pending[0][1].result()
        if pictures is None:
            return True
        self._pending.popleft()
        for picture in pictures:
            if self._closed:
                return True
            yield picture
        return False

    def _work(self, group: Group) -> list[Picture] | None:
        if not group.is_regular:
            return None
        decoder = self._idle.get()
        try:
            return decoder.decode(group.packets)
        finally:
            self._idle.put(decoder)
