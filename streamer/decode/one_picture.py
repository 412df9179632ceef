"""Whether a packet is one whole picture that is shown, which is what DALI takes every packet for.

DALI's decoder on NVDEC gives each picture that NVDEC's parser hands it the time of the oldest
packet without one (DALI 2.4, FramesDecoderGpu). A packet of which the parser makes no picture,
or two, would shift the times of all frames behind it, and nothing would fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from streamer.decode.nal_pictures import AVC, HEVC, NalPictures
from streamer.decode.nal_units import length_size

IsOnePicture = Callable[[bytes], bool]

_SYNTAXES = {"h264": AVC, "hevc": HEVC}
_VP8_START_CODE, _VP9_START_CODE = b"\x9d\x01\x2a", b"\x49\x83\x42"
_FRAME_HEADER, _FRAME = 3, 6  # types of OBU that begin a frame (AV1, section 6.2.2)


def one_picture(codec: str, extradata: bytes) -> IsOnePicture:
    """A test for the packets of a stream, to be asked about each of them in order.

    Args:
        codec: canonical name of the codec.
        extradata: of the stream's header; empty if there is none.
    """
    if codec in _SYNTAXES:
        size = length_size(codec, extradata)
        return NalPictures(_SYNTAXES[codec], size, extradata).is_one_picture
    return {"vp8": _vp8, "vp9": _vp9, "av1": _av1}.get(codec, bool)


def _vp8(packet: bytes) -> bool:
    """By the frame header of RFC 6386, section 9.1; an alternate reference is not shown."""
    if len(packet) < 3:
        return False
    is_key, is_shown = not packet[0] & 1, packet[0] >> 4 & 1
    first_partition = int.from_bytes(packet[:3], "little") >> 5
    starts = not is_key or packet[3:6] == _VP8_START_CODE
    return bool(is_shown) and starts and first_partition < len(packet)


def _vp9(packet: bytes) -> bool:
    """By the superframe index (annex B of the VP9 bitstream specification) and section 6.2."""
    shown = [_vp9_shows(frame) for frame in _superframe(packet)]
    return None not in shown and shown.count(True) == 1 and shown[-1] is True


def _superframe(packet: bytes) -> Iterator[bytes]:
    """The frames of a packet: those before the last one are hidden."""
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


def _vp9_shows(frame: bytes) -> bool | None:
    """Whether a frame is shown; ``None`` if it is no coded picture, but one shown again."""
    if not frame or frame[0] >> 6 != 0b10:
        return None
    profile_3 = frame[0] >> 4 & 3 == 3
    again, inter, shown = (frame[0] >> place & 1 for place in range(3 - profile_3, -profile_3, -1))
    if again or (not inter and not profile_3 and frame[1:4] != _VP9_START_CODE):
        return None
    return bool(shown)


def _av1(packet: bytes) -> bool:
    """By the headers of frames (AV1, section 5.9.2): one is shown, and none is shown again."""
    headers = [payload[0] for kind, payload in _obus(packet) if kind in (_FRAME_HEADER, _FRAME)]
    again, shown = (sum(header >> place & 1 for header in headers) for place in (7, 4))
    return not again and shown == 1


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
