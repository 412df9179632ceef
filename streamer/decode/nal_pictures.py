"""Whether packets of NAL units are one decodable picture each: H.264 and HEVC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamer.decode.nal_units import avc_type, by_length, by_start_code, hevc_type


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


# ITU-T H.264 (08/2021), tables 7-1; first_mb_in_slice is 0, one bit, in the first slice (7.3.3).
AVC = NalSyntax(avc_type, 1, frozenset({1, 2, 5}), frozenset({5}), parameters=7)
# ITU-T H.265 (08/2021), table 7-1; first_slice_segment_in_pic_flag comes first (7.3.6.1).
HEVC = NalSyntax(
    hevc_type,
    2,
    slices=frozenset(range(22)),
    entries=frozenset(range(16, 22)),
    parameters=33,
    broken_entries=frozenset({16, 17, 18}),
    open_entries=frozenset({21}),
    leading=frozenset({8, 9}),
)


class NalPictures:
    """A test for the packets of one stream, to be asked about each of them in order.

    A packet passes if its units fill it, hold one frame (two fields are two pictures), and bring
    no parameters but those of the header or the first packet. The first one must be an entry; a
    leading picture must have what it needs.

    Args:
        syntax: of the coding.
        size: bytes of the length before each unit, or 0 if start codes part them.
        extradata: of the stream's header; empty if there is none.
    """

    def __init__(self, syntax: NalSyntax, size: int, extradata: bytes) -> None:
        self._syntax, self._size, self._extradata = syntax, size, extradata
        self._entered = self._leading_lost = False
        self._parameters: set[bytes] = set()

    def is_one_picture(self, packet: bytes) -> bool:
        """Whether the next packet passes."""
        units = [*(by_length(packet, self._size) if self._size else by_start_code(packet))]
        if not self._fill(units, packet):
            return False
        kinds = [self._syntax.type_of(unit) for unit in units if self._is_base(unit)]
        started = [self._syntax.type_of(unit) for unit in units if self._begins_picture(unit)]
        same = self._has_same_parameters(units)
        return same and len(started) == 1 and self._decodes({*kinds})

    def _fill(self, units: list[bytes], packet: bytes) -> bool:
        """Whether the units are sound from outside: of the stated lengths, with legal headers."""
        if not all(len(unit) > self._syntax.header and unit[0] < 128 for unit in units):
            return False
        return not self._size or sum(len(unit) + self._size for unit in units) == len(packet)

    def _is_base(self, unit: bytes) -> bool:
        """Whether it is of the layer that is decoded: HEVC may hold a second view beside it."""
        return self._syntax is AVC or (unit[0] & 1, unit[1] >> 3) == (0, 0)

    def _begins_picture(self, unit: bytes) -> bool:
        syntax = self._syntax
        is_slice = self._is_base(unit) and syntax.type_of(unit) in syntax.slices
        return is_slice and unit[syntax.header] >= 128

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
            is_first, self._entered = not self._entered, True
            lost = syntax.broken_entries | (syntax.open_entries if is_first else frozenset())
            self._leading_lost = bool(kinds & lost)
        return self._entered and not (self._leading_lost and kinds & syntax.leading)
