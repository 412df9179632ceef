"""Where decoding can begin anew: packets that need nothing of what came before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from streamer.decode.packets import VideoPacket

# NAL unit types: ITU-T H.264 (08/2021) table 7-1 and H.265 (08/2021) table 7-1.
_AVC_IDR, _AVC_SETS = frozenset({5}), frozenset({7, 8})
_HEVC_IDR, _HEVC_SETS = frozenset({19, 20}), frozenset({32, 33, 34})

IsEntryPoint = Callable[[VideoPacket], bool]


def entry_points(codec: str, extradata: bytes) -> IsEntryPoint | None:
    """A test for entry points of a stream, or ``None`` if its codec has none that can be told.

    A key frame is not enough: frames after one that opens a group of pictures may refer to frames
    before it. So for H.264 and HEVC only instantaneous decoder refreshes count.

    Args:
        codec: canonical name of the codec.
        extradata: of the stream's header; empty if there is none.
    """
    if codec in ("vp8", "vp9"):
        return lambda packet: packet.is_keyframe
    if codec == "h264":
        size = (extradata[4] & 3) + 1 if extradata[:1] == b"\1" and len(extradata) > 4 else 0
        return _refreshes(_AVC_IDR, _AVC_SETS, _avc_type, size)
    if codec == "hevc":
        size = (extradata[21] & 3) + 1 if extradata[:1] == b"\1" and len(extradata) > 21 else 0
        return _refreshes(_HEVC_IDR, _HEVC_SETS, _hevc_type, size)
    return None


def _refreshes(
    idr: frozenset[int], sets: frozenset[int], type_of: Callable[[int], int], length_size: int
) -> IsEntryPoint:
    def test(packet: VideoPacket) -> bool:
        if not packet.is_keyframe:
            return False
        data = bytes(packet)
        headers = _by_length(data, length_size) if length_size else _by_start_code(data)
        types = {type_of(header) for header in headers}
        # Without a header of its own the stream repeats its parameter sets where one may begin.
        return bool(types & idr) and (length_size > 0 or sets <= types)

    return test


def _avc_type(header: int) -> int:
    return header & 31


def _hevc_type(header: int) -> int:
    return header >> 1 & 63


def _by_length(data: bytes, length_size: int) -> Iterator[int]:
    """First byte of each NAL unit that follows its length (ISO/IEC 14496-15)."""
    place = 0
    while place + length_size < len(data):
        length = int.from_bytes(data[place : place + length_size])
        yield data[place + length_size]
        place += length_size + length


def _by_start_code(data: bytes) -> Iterator[int]:
    """First byte of each NAL unit behind a start code (Annex B of both standards)."""
    place = data.find(b"\0\0\1")
    while 0 <= place < len(data) - 3:
        yield data[place + 3]
        place = data.find(b"\0\0\1", place + 3)
