"""Packets to frames: goes on after errors, as far as that makes sense, and notes each of them."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from streamer.decode.damage import Damage
from streamer.decode.header import time_base_of

# Half a minute of undecodable packets at 30 a second is not a scratch; stop trying.
MAX_PACKET_ERRORS = 1000
# Reading goes on behind bad bytes, but a demuxer may also stand still and fail for ever.
MAX_READ_ERRORS = 20
# The packet that a transport stream marks may come a little before the gap.
_SUSPECT_PACKETS = 4


class FrameReader:
    """The frames of one stream in presentation order.

    Attributes:
        last_error: the error met last; says why if no frame came.
    """

    def __init__(self, container: InputContainer, stream: AvVideoStream, damage: Damage) -> None:
        self._container = container
        self._stream = stream
        self._damage = damage
        self._time_base = time_base_of(stream)
        self._frames = self._read()
        self._peeked: list[VideoFrame] = []
        self._errors_in_a_row = 0
        self.last_error: av.FFmpegError | None = None
        self._packets_end: int | None = None
        self._read_end: int | None = None
        self._suspicion = 0

    def __iter__(self) -> Iterator[VideoFrame]:
        peeked, self._peeked = self._peeked, []
        return itertools.chain(peeked, self._frames)

    def first(self) -> VideoFrame | None:
        """The first frame, which iteration yields again, or ``None`` if no frame comes."""
        self._peeked = [*itertools.islice(self._frames, 1)]
        return self._peeked[0] if self._peeked else None

    def expected_end(self, stated: Fraction | None) -> Fraction | None:
        """Where the frames ought to end, in seconds: as stated or as the packets seen say."""
        seen = None if self._packets_end is None else self._packets_end * self._time_base
        return max((end for end in (stated, seen) if end is not None), default=None)

    def close(self) -> None:
        """End the iteration; to be called before the container is closed."""
        self._frames.close()

    def _read(self) -> Generator[VideoFrame]:
        for packet in self._packets():
            yield from self._decode(packet)
            if self._errors_in_a_row >= MAX_PACKET_ERRORS:
                self._damage.gave_up()
                return

    def _packets(self) -> Iterator[Packet[AvVideoStream] | None]:
        """Packets, then ``None``, which flushes the decoder."""
        for _ in range(MAX_READ_ERRORS):
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:  # not one of the empty packets with which PyAV flushes
                        yield packet
                break
            except IndexError:
                break  # Behind the last packet PyAV trips over streams that came up on the way.
            except av.FFmpegError as error:
                self.last_error = error
                self._damage.unreadable()
        yield None

    def _decode(self, packet: Packet[AvVideoStream] | None) -> list[VideoFrame]:
        if packet is not None:
            self._note(packet)
        try:
            frames = self._stream.decode(packet)
        except av.FFmpegError as error:
            self.last_error = error
            self._errors_in_a_row += 1
            self._damage.lost_packet(self._time_of(packet))
            return []
        # With frame threads a packet in its turn gives no frame yet: only a frame ends the row.
        if frames:
            self._errors_in_a_row = 0
        return frames

    def _note(self, packet: Packet[AvVideoStream]) -> None:
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

    def _time_of(self, packet: Packet[AvVideoStream] | None) -> Fraction | None:
        if packet is None or packet.pts is None:
            return None
        return packet.pts * self._time_base
