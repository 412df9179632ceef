"""Packets to frames: goes on after errors, as far as that makes sense, and notes each of them."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from streamer.decode.damage import Damage
from streamer.decode.opening import STAGE
from streamer.decode.packets import PacketReader, VideoPacket
from streamer.errors import JobFailed

# Half a minute of undecodable packets at 30 a second is not a scratch; stop trying.
MAX_PACKET_ERRORS = 1000
# Decoders raise these for what they cannot do, as opposed to data they cannot read.
_LACKING = (av.error.PatchWelcomeError, av.error.NotImplementedError, av.error.DecoderNotFoundError)


class FrameReader:
    """The frames of one stream in presentation order.

    Attributes:
        last_error: the error met last; says why if no frame came.
    """

    def __init__(self, stream: AvVideoStream, packets: PacketReader, damage: Damage) -> None:
        self._stream, self._reader, self._damage = stream, packets, damage
        self._source = packets.read()
        self._packets: Iterator[VideoPacket] = self._source
        self._kept: list[VideoPacket] | None = []
        self._frames = self._read()
        self._peeked: list[VideoFrame] = []
        self._errors_in_a_row = 0
        self._error: av.FFmpegError | None = None

    def __iter__(self) -> Iterator[VideoFrame]:
        peeked, self._peeked, self._kept = self._peeked, [], None
        return itertools.chain(peeked, self._frames)

    @property
    def last_error(self) -> av.FFmpegError | None:
        """The error met last, in decoding or in reading; says why if no frame came."""
        return self._error or self._reader.last_error

    def first(self) -> VideoFrame | None:
        """The first frame, which iteration yields again, or ``None`` if no frame comes."""
        self._peeked = [*itertools.islice(self._frames, 1)]
        return self._peeked[0] if self._peeked else None

    def give_back(self) -> Iterator[VideoPacket]:
        """All packets from the first on, for another to decode; to be called after `first`."""
        kept, self._kept, self._peeked = self._kept or [], None, []
        return itertools.chain(kept, self._packets)

    def go_on(self, packets: Iterator[VideoPacket]) -> None:
        """Decode these packets, which begin where decoding can begin, and be done."""
        self._frames.close()
        self._stream.codec_context.flush_buffers()
        self._packets = packets
        self._frames = self._read()

    def close(self) -> None:
        """End the iteration; to be called before the container is closed."""
        self._frames.close()
        self._source.close()

    def _read(self) -> Generator[VideoFrame]:
        for packet in itertools.chain(self._packets, (None,)):  # None flushes the decoder
            if self._kept is not None and packet is not None:
                self._kept.append(packet)
            yield from self._decode(packet)
            if self._errors_in_a_row >= MAX_PACKET_ERRORS:
                self._damage.gave_up()
                return

    def _decode(self, packet: VideoPacket | None) -> list[VideoFrame]:
        try:
            frames = self._stream.decode(packet)
        except av.FFmpegError as error:
            self._error = error
            self._errors_in_a_row += 1
            self._damage.lost_packet(self._reader.time_of(packet))
            return []
        # With frame threads a packet in its turn gives no frame yet: only a frame ends the row.
        if frames:
            self._errors_in_a_row = 0
        return frames


def first_frame(reader: FrameReader) -> VideoFrame:
    """The first frame, which iteration yields again.

    Raises:
        JobFailed: ``unsupported_codec`` or ``undecodable`` if none comes.
    """
    frame = reader.first()
    if frame is not None:
        return frame
    if isinstance(reader.last_error, _LACKING):
        raise JobFailed(
            "the decoder lacks a feature that the video stream uses; transcode it to H.264 or VP9",
            kind="unsupported_codec",
            stage=STAGE,
        ) from reader.last_error
    raise JobFailed(
        "no frame of the video stream could be decoded; fetch the file again or transcode it",
        kind="undecodable",
        stage=STAGE,
    ) from reader.last_error
