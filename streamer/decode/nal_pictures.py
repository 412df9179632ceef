"""What packets of NAL units are to DALI: H.264 and HEVC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamer.decode.nal_units import avc_type, by_length, by_start_code, hevc_type
from streamer.decode.packet_kind import PacketKind


@dataclass(frozen=True)
class NalSyntax:
    """Where a coding has what is looked for, by types of NAL units.

    Attributes:
        type_of: the type of a unit.
        header: bytes before a unit's payload.
        slices: units that hold a part of a picture; the first bit of the payload is 1 in the
            first of them.
        entries: slices of pictures at which decoding can begin.
        broken_entries: those behind which leading pictures never decode.
        open_entries: those behind which leading pictures decode unless the stream begins here.
        leading: slices of pictures that need what came before the entry.
        ends: units behind which the stream begins anew.
        parameters: units that state the size of pictures.
    """

    type_of: Callable[[bytes], int]
    header: int
    slices: frozenset[int]
    entries: frozenset[int]
    parameters: int
    broken_entries: frozenset[int] = frozenset()
    open_entries: frozenset[int] = frozenset()
    leading: frozenset[int] = frozenset()
    ends: frozenset[int] = frozenset()


# ITU-T H.264 (08/2021), tables 7-1; first_mb_in_slice is 0, one bit, in the first slice (7.3.3).
AVC = NalSyntax(avc_type, 1, frozenset({1, 2, 5}), frozenset({5}), parameters=7)
# ITU-T H.265 (08/2021), table 7-1; first_slice_segment_in_pic_flag comes first (7.3.6.1).
HEVC = NalSyntax(
    hevc_type,
    2,
    slices=frozenset({*range(10), *range(16, 22)}),
    entries=frozenset(range(16, 22)),
    parameters=33,
    broken_entries=frozenset({16, 17, 18}),
    open_entries=frozenset({21}),
    leading=frozenset({8, 9}),
    ends=frozenset({36}),
)


class NalPictures:
    """Tells the kind of each packet of one stream, in order.

    It is a picture if its units hold one frame (two fields are two pictures) and bring no
    parameters but those of the header or the first packet. The first one must be an entry; a
    leading picture must have what it needs. It is damaged if its units do not fill it.

    Args:
        syntax: of the coding.
        size: bytes of the length before each unit, or 0 if start codes part them.
        extradata: of the stream's header; empty if there is none.
    """

    def __init__(self, syntax: NalSyntax, size: int, extradata: bytes) -> None:
        self._syntax, self._size, self._extradata = syntax, size, extradata
        self._entered = self._leading_lost = False
        self._is_fresh = True
        self._parameters: set[bytes] = set()

    def kind(self, packet: bytes) -> PacketKind:
        """What the next packet is."""
        units = [*(by_length(packet, self._size) if self._size else by_start_code(packet))]
        if not units or not self._fill(units, packet):
            return "damaged"
        kinds = {self._syntax.type_of(unit) for unit in units if self._is_base(unit)}
        is_one = sum(map(self._begins_picture, units)) == 1
        same = self._has_same_parameters(units)
        return "picture" if same and is_one and self._decodes(kinds) else "other"

    def _fill(self, units: list[bytes], packet: bytes) -> bool:
        """Whether the units are sound from outside: of the stated lengths, with legal headers."""
        if not all(len(unit) >= self._syntax.header and unit[0] < 128 for unit in units):
            return False
        return not self._size or sum(len(unit) + self._size for unit in units) == len(packet)

    def _is_base(self, unit: bytes) -> bool:
        """Whether it is of the layer that is decoded: HEVC may hold a second view beside it."""
        return self._syntax is AVC or (unit[0] & 1, unit[1] >> 3) == (0, 0)

    def _begins_picture(self, unit: bytes) -> bool:
        syntax = self._syntax
        is_slice = self._is_base(unit) and syntax.type_of(unit) in syntax.slices
        return is_slice and unit[syntax.header : syntax.header + 1] >= b"\x80"

    def _has_same_parameters(self, units: list[bytes]) -> bool:
        of_type = self._syntax.parameters
        found = {each for each in units if self._syntax.type_of(each) == of_type}
        if not self._entered:
            self._parameters |= found
        return all(each in self._extradata for each in found - self._parameters)

    def _decodes(self, kinds: set[int]) -> bool:
        """Whether decoding can begin here, or has begun and all that is needed was decoded."""
        syntax = self._syntax
        if kinds & syntax.entries:
            lost = syntax.broken_entries | (syntax.open_entries if self._is_fresh else frozenset())
            self._leading_lost, self._entered = bool(kinds & lost), True
            self._is_fresh = False
        self._is_fresh |= bool(kinds & syntax.ends)
        return self._entered and not (self._leading_lost and kinds & syntax.leading)
