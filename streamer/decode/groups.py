"""Cuts a stream of packets into groups that can be decoded on their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from streamer.decode.entry_points import IsEntryPoint
from streamer.decode.packets import VideoPacket

# A group is decoded as a whole, so its frames' small pictures and samples are held at once; 250
# frames is what encoders put between entry points by default.
_MOST_PACKETS = 300
_MOST_BYTES = 32 << 20
_MOST_SECONDS = 12
# Streams of entry points only would make a task of every frame.
_FEWEST_PACKETS = 32


@dataclass(frozen=True)
class Group:
    """Packets from one entry point up to another, in the order of the file."""

    packets: list[VideoPacket]
    is_regular: bool


class GroupReader:
    """Groups of packets, until one is met that is not regular; that one is the last.

    A group is regular if it begins at an entry point, is not too large to hold, and each of its
    packets has a timestamp of its own after those of all groups before it. Then the order and the
    times of its frames are known without decoding what came before.
    """

    def __init__(self, packets: Iterator[VideoPacket], is_entry_point: IsEntryPoint) -> None:
        self._packets, self._is_entry_point = packets, is_entry_point
        self._ahead: list[VideoPacket] = []
        self._last: int | None = None

    def read(self) -> Iterator[Group]:
        """The groups, the irregular one included."""
        self._ahead = [*itertools.islice(self._packets, 1)]
        while self._ahead:
            group = self._next()
            yield group
            if not group.is_regular:
                return

    def rest(self) -> Iterator[VideoPacket]:
        """The packets behind the groups that were read."""
        return itertools.chain(self._ahead, self._packets)

    def _next(self) -> Group:
        packets, self._ahead = self._ahead, []
        size = packets[0].size
        if not self._is_entry_point(packets[0]):
            return Group(packets, is_regular=False)
        for packet in self._packets:
            if len(packets) >= _FEWEST_PACKETS and self._is_entry_point(packet):
                self._ahead = [packet]
                break
            packets.append(packet)
            size += packet.size
            if len(packets) > _MOST_PACKETS or size > _MOST_BYTES:
                return Group(packets, is_regular=False)
        return Group(packets, self._advances(packets))

    def _advances(self, packets: list[VideoPacket]) -> bool:
        """Whether all packets are sound and their times new; notes the latest of them."""
        times = [packet.pts for packet in packets if not packet.is_discard]
        known = [time for time in times if time is not None]
        if not known or len(set(known)) < len(times) or any(map(_is_odd, packets)):
            return False
        first, last, before = min(known), max(known), self._last
        self._last = last
        is_short = (last - first) * packets[0].time_base <= _MOST_SECONDS
        return is_short and (before is None or first > before)


def _is_odd(packet: VideoPacket) -> bool:
    """Whether something is wrong with the packet, or it changes the stream's header."""
    return packet.is_corrupt or packet.has_sidedata("new_extradata")
