"""What packets of VP8 and VP9 are to DALI."""

from __future__ import annotations

from collections.abc import Iterator

from streamer.decode.packet_kind import PacketKind

_VP8_START_CODE, _VP9_START_CODE = b"\x9d\x01\x2a", b"\x49\x83\x42"


class Vp8Pictures:
    """By the frame header (RFC 6386, section 9.1); an alternate reference is not shown."""

    def __init__(self) -> None:
        self._size: bytes | None = None

    def kind(self, packet: bytes) -> PacketKind:
        """What the next packet is."""
        is_key = not packet[0] & 1
        first_partition = int.from_bytes(packet[:3], "little") >> 5
        has_start = not is_key or packet[3:6] == _VP8_START_CODE
        if len(packet) < 3 or not has_start or first_partition >= len(packet):
            return "damaged"
        size = packet[6:10] if is_key else self._size
        self._size = self._size or size
        return "picture" if packet[0] >> 4 & 1 and size == self._size else "other"


class Vp9Pictures:
    """By the superframe index (annex B of the VP9 specification) and frame headers (6.2)."""

    def __init__(self) -> None:
        self._size: int | None = None

    def kind(self, packet: bytes) -> PacketKind:
        """What the next packet is."""
        frames = [*_superframe(packet)]
        if not all(map(_is_vp9, frames)):
            return "damaged"
        headers = [*map(_Vp9Header, frames)]
        shown = [header.is_shown for header in headers]
        is_one = shown.count(True) == 1 and shown[-1]
        return "picture" if is_one and all(map(self._is_of_size, headers)) else "other"

    def _is_of_size(self, header: _Vp9Header) -> bool:
        if not header.is_key:
            return header.keeps_size
        self._size = self._size or header.size
        return header.size == self._size


class _Vp9Header:
    """The beginning of an uncompressed header of profile 0 to 2; NVDEC takes no profile 3."""

    def __init__(self, frame: bytes) -> None:
        first = frame[0]
        self._profile = (first >> 5 & 1) | (first >> 4 & 1) << 1
        self._is_again, is_inter, is_visible, self._is_resilient = (
            bool(first >> place & 1) for place in (3, 2, 1, 0)
        )
        self.is_key = not is_inter and not self._is_again
        self.is_shown = is_visible and not self._is_again
        self._rest = int.from_bytes(frame[1:9].ljust(8, b"\0"))

    @property
    def size(self) -> int:
        """Width and height less one, of a key frame: behind start code, depth and colours."""
        return self._bits(24 + 4 + (self._profile == 2), 32)

    @property
    def keeps_size(self) -> bool:
        """Whether a frame that is no key frame has the size of one that it refers to."""
        is_intra = not self.is_shown and self._bits(0, 1)
        place = (not self.is_shown) + (0 if self._is_resilient else 2)
        return not is_intra and self._bits(place + 8 + 12, 3) != 0

    def _bits(self, place: int, count: int) -> int:
        return self._rest >> 64 - place - count & (1 << count) - 1


def _is_vp9(frame: bytes) -> bool:
    is_key = bool(frame) and not frame[0] & 0b1100 and frame[0] >> 4 & 3 != 3
    return bool(frame) and frame[0] >> 6 == 0b10 and (not is_key or frame[1:4] == _VP9_START_CODE)


def _superframe(packet: bytes) -> Iterator[bytes]:
    """The frames of a packet; those before the last one are hidden."""
    marker = packet[-1]
    width, count = (marker >> 3 & 3) + 1, (marker & 7) + 1
    index = packet[-(2 + width * count) :]
    if marker >> 5 != 0b110 or index[0] != marker:
        yield packet
        return
    place = 0
    for number in range(count):
        start = 1 + width * number
        size = int.from_bytes(index[start : start + width], "little")
        yield packet[place : place + size]
        place += size
