"""What packets of AV1 are to DALI."""

from __future__ import annotations

from collections.abc import Iterator

from streamer.decode.packet_kind import PacketKind

_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6  # types of OBU (AV1, section 6.2.2)


class Av1Pictures:
    """By the headers of frames (AV1, section 5.9.2): the last one is shown, and it alone."""

    def __init__(self) -> None:
        self._sequence: bytes | None = None

    def kind(self, packet: bytes) -> PacketKind:
        """What the next packet is."""
        units = [*_obus(packet)]
        headers = [payload[0] for kind, payload in units if kind in (_FRAME_HEADER, _FRAME)]
        if not headers:
            return "damaged"
        again, shown = ([header >> place & 1 for header in headers] for place in (7, 4))
        is_one = not any(again) and sum(shown) == shown[-1] == 1
        return "picture" if is_one and self._is_of_sequence(units) else "other"

    def _is_of_sequence(self, units: list[tuple[int, bytes]]) -> bool:
        for kind, payload in units:
            if kind == _SEQUENCE_HEADER:
                self._sequence = self._sequence or payload
                if payload != self._sequence:
                    return False
        return True


def _obus(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and payload of each open bitstream unit (AV1, section 5.3) that has a payload."""
    place = 0
    while place < len(packet):
        header = packet[place]
        place += 2 if header & 4 else 1
        size = len(packet) - place
        if header & 2:
            size, place = _leb128(packet, place)
        if packet[place : place + size]:
            yield header >> 3 & 15, packet[place : place + size]
        place += size


def _leb128(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte (AV1, section 4.10.5), and the place behind it."""
    value = 0
    for shift, byte in enumerate(data[place : place + 8]):
        value |= (byte & 127) << 7 * shift
        if not byte & 128:
            return value, place + shift + 1
    return 0, len(data)
