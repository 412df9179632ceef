"""Reads a stream's packets: goes on behind bytes that cannot be read, and notes what is missing."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from typing import TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream as AvVideoStream

from streamer.decode.damage import Damage
from streamer.decode.header import time_base_of

VideoPacket: TypeAlias = "Packet[AvVideoStream]"

# Reading goes on behind bad bytes, but a demuxer may also stand still and fail for ever.
MAX_READ_ERRORS = 20
# The packet that a transport stream marks may come a little before the gap.
_SUSPECT_PACKETS = 4


class PacketReader:
    """The packets of one stream in the order of the file.

    Attributes:
        last_error: the error met last while reading.
    """

    def __init__(self, container: InputContainer, stream: AvVideoStream, damage: Damage) -> None:
        self._container, self._stream, self._damage = container, stream, damage
        self._time_base = time_base_of(stream)
        self._packets_end: int | None = None
        self._read_end: int | None = None
        self._suspicion = 0
        self.last_error: av.FFmpegError | None = None

    def read(self) -> Generator[VideoPacket]:
        """The packets; iterate once."""
        for _ in range(MAX_READ_ERRORS):
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:  # not one of the empty packets with which PyAV flushes
                        self._note(packet)
                        yield packet
                return
            except IndexError:
                return  # Behind the last packet PyAV trips over streams that came up on the way.
            except av.FFmpegError as error:
                self.last_error = error
                self._damage.unreadable()

    def expected_end(self, stated: Fraction | None) -> Fraction | None:
        """Where the frames ought to end, in seconds: as stated or as the packets seen say."""
        seen = None if self._packets_end is None else self._packets_end * self._time_base
        return max((end for end in (stated, seen) if end is not None), default=None)

    def time_of(self, packet: VideoPacket | None) -> Fraction | None:
        """Presentation time in seconds, if the packet has one."""
        if packet is None or packet.pts is None:
            return None
        return packet.pts * self._time_base

    def _note(self, packet: VideoPacket) -> None:
        length = packet.duration or 0
        if packet.dts is not None:
            self._note_gap(packet.dts, packet.is_corrupt)
            self._read_end = packet.dts + length
        if packet.pts is not None and not packet.is_discard:
            end = packet.pts + length
            if self._packets_end is None or end > self._packets_end:
                self._packets_end = end

    def _note_gap(self, dts: int, corrupt: bool) -> None:
        # A packet marked corrupt is no damage by itself: transport streams joined end to end
        # have one at each join. Time that is missing beside it tells a loss from a join.
        self._suspicion = _SUSPECT_PACKETS if corrupt else max(0, self._suspicion - 1)
        if self._suspicion and self._read_end is not None and dts > self._read_end:
            missing = (dts - self._read_end) * self._time_base
            self._damage.gap(self._read_end * self._time_base, missing)
