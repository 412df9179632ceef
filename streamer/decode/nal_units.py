"""NAL units of H.264 and HEVC packets, as containers or as byte streams hold them."""

from __future__ import annotations

from collections.abc import Iterator


def length_size(codec: str, extradata: bytes) -> int:
    """Bytes of the length before each NAL unit (ISO/IEC 14496-15); 0 if start codes part them.

    Args:
        codec: ``h264`` or ``hevc``.
        extradata: of the stream's header; empty if there is none.
    """
    place = 4 if codec == "h264" else 21
    if extradata[:1] != b"\1" or len(extradata) <= place:
        return 0
    return (extradata[place] & 3) + 1


def by_length(data: bytes, size: int) -> Iterator[bytes]:
    """The units, each behind its length of ``size`` bytes, up to one that is cut short."""
    start = size
    while start < len(data):
        end = start + int.from_bytes(data[start - size : start])
        if end <= len(data):
            yield data[start:end]
        start = end + size


def by_start_code(data: bytes) -> Iterator[bytes]:
    """The units, each behind a start code (Annex B of ITU-T H.264 and H.265)."""
    for unit in data.split(b"\0\0\1")[1:]:
        yield unit.rstrip(b"\0")


def avc_type(unit: bytes) -> int:
    """Type of an H.264 unit (ITU-T H.264, table 7-1)."""
    return unit[0] & 31


def hevc_type(unit: bytes) -> int:
    """Type of an HEVC unit (ITU-T H.265, table 7-1)."""
    return unit[0] >> 1 & 63
