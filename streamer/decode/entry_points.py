"""Where decoding can begin anew: packets that need nothing of what came before them."""

from __future__ import annotations

from collections.abc import Callable

from streamer.decode.nal_units import avc_type, by_length, by_start_code, hevc_type, length_size
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
        return _refreshes(_AVC_IDR, _AVC_SETS, avc_type, length_size(codec, extradata))
    if codec == "hevc":
        return _refreshes(_HEVC_IDR, _HEVC_SETS, hevc_type, length_size(codec, extradata))
    return None


def _refreshes(
    idr: frozenset[int], sets: frozenset[int], type_of: Callable[[bytes], int], size: int
) -> IsEntryPoint:
    def test(packet: VideoPacket) -> bool:
        if not packet.is_keyframe:
            return False
        data = bytes(packet)
        units = by_length(data, size) if size else by_start_code(data)
        types = {type_of(unit) for unit in units if unit}
        # Without a header of its own the stream repeats its parameter sets where one may begin.
        return bool(types & idr) and (size > 0 or sets <= types)

    return test
