"""Times of frames from the packets of a container, ahead of a decoder that tells none exactly."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream as AvVideoStream
from numpy.typing import NDArray

from streamer.decode.damage import Damage
from streamer.decode.header import time_base_of
from streamer.decode.packet_kind import KindOf, PacketKind
from streamer.decode.packets import PacketReader, VideoPacket
from streamer.decode.timeline import SamplePoints, Timeline

# H.264 and HEVC hold back at most 16 pictures; a packet's time is known to be next when twice as
# many packets behind it have been seen.
_HELD_BACK = 32
# DALI keeps the times of pictures that wait for their turn in 32 bits, of which -1 says that none
# waits (2.4, FramesDecoderGpu).
_TICKS = range(1 << 31)


@dataclass(frozen=True)
class BatchPlan:
    """The frames that one step of the decoder has to give.

    Attributes:
        first_index: presentation index of the first frame.
        times: start of each frame, and the end of the last one, in ticks.
        stamps: the container's own timestamp of each frame, in ticks.
        sampled: which of them are samples, counted from ``first_index``.
    """

    first_index: int
    times: NDArray[np.int64]
    stamps: NDArray[np.int64]
    sampled: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.stamps)


@dataclass(frozen=True, order=True)
class _Stamp:
    """A packet's timestamp and duration, and what it is to DALI; by presentation."""

    pts: int
    order: int
    length: int
    kind: PacketKind


class Planner:
    """Plans of all frames of a stream, in order, a few packets ahead of what is asked for.

    They end before the first frame that DALI would get wrong, or whose end it would.

    Args:
        container: the file, from its beginning.
        stream: the stream of it.
        timeline: places the frames.
        sample_rate: samples a second.
        kind_of: what is asked about each packet.

    Attributes:
        timeline: ahead of what is decoded.
        damage: what the container could not give.
        first_stamp: the container's timestamp of the first frame, once planned.
        ended_at: where a frame begins that is not planned, in ticks; None at the true end.
        ended_by: what kind of packet ended the plans.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: AvVideoStream,
        timeline: Timeline,
        sample_rate: float,
        kind_of: KindOf,
    ) -> None:
        self.timeline, self.damage, self.first_stamp = timeline, Damage(), 0
        self.ended_at: int | None = None
        self.ended_by: PacketKind = "picture"
        self._kind_of = kind_of
        self._packets = PacketReader(container, stream, self.damage)
        self._time_base, self._rate = time_base_of(stream), sample_rate

    def plans(self, frames: int) -> Generator[BatchPlan]:
        """Plans of ``frames`` frames each; the last may have fewer."""
        index, placed = 0, self._placed()
        batch = [*itertools.islice(placed, frames)]
        while batch:
            following = [*itertools.islice(placed, frames)]
            yield _plan(index, batch, following[0][1] if following else self._end)
            index, batch = index + len(batch), following

    @property
    def _end(self) -> int:
        return self.timeline.end if self.ended_at is None else self.ended_at

    def expected_end(self, stated: Fraction | None) -> Fraction | None:
        """Where the frames ought to end, in seconds: as stated or as the packets seen say."""
        return self._packets.expected_end(stated)

    def _placed(self) -> Iterator[tuple[int, int, bool]]:
        """Timestamp and start in ticks of each frame, and whether it is a sample."""
        points: SamplePoints | None = None
        for stamp, start in self._right():
            if points is None:
                self.first_stamp = stamp.pts
                points = SamplePoints(self._rate, self._time_base, start)
            yield stamp.pts, start, points.due(start)

    def _right(self) -> Iterator[tuple[_Stamp, int]]:
        """Frames and their starts in ticks, as far as DALI gets them right."""
        held: tuple[_Stamp, int] | None = None
        for stamp in self._in_order():
            start = self.timeline.place(stamp.pts, None, stamp.length)
            if stamp.kind != "picture":
                # There may be no frame of this packet, so the one before does not end here.
                self.ended_at, self.ended_by = held[1] if held else start, stamp.kind
                return
            if held is not None:
                yield held
            held = stamp, start
        if held is not None:
            yield held

    def _in_order(self) -> Iterator[_Stamp]:
        held: list[_Stamp] = []
        for stamp in self._stamps():
            heapq.heappush(held, stamp)
            if len(held) > _HELD_BACK:
                yield heapq.heappop(held)
        yield from sorted(held)

    def _stamps(self) -> Iterator[_Stamp]:
        kind: PacketKind = "picture"
        for order, packet in enumerate(self._packets.read()):
            pts = packet.pts if packet.pts is not None else packet.dts
            # What is decoded behind a packet that DALI gets wrong is wrong as well.
            kind = self._kind(packet) if kind == "picture" else kind
            if pts is not None and not packet.is_discard:
                yield _Stamp(pts, order, packet.duration or 0, kind)

    def _kind(self, packet: VideoPacket) -> PacketKind:
        """What it is to DALI, which takes what an edit list cuts off for the beginning."""
        if packet.is_discard or packet.has_sidedata("new_extradata") or packet.pts not in _TICKS:
            return "other"
        return self._kind_of(bytes(packet))


def _plan(index: int, frames: list[tuple[int, int, bool]], end: int) -> BatchPlan:
    return BatchPlan(
        index,
        np.array([*(start for _, start, _ in frames), end], np.int64),
        np.array([stamp for stamp, _, _ in frames], np.int64),
        tuple(place for place, (_, _, due) in enumerate(frames) if due),
    )
