"""Tells what the packets of a stream are to DALI, by their headers."""

from __future__ import annotations

from streamer.decode.av1_pictures import Av1Pictures
from streamer.decode.nal_pictures import AVC, HEVC, NalPictures
from streamer.decode.nal_units import length_size
from streamer.decode.packet_kind import KindOf
from streamer.decode.vpx_pictures import Vp8Pictures, Vp9Pictures

_SYNTAXES = {"h264": AVC, "hevc": HEVC}
_OTHERS: dict[str, type[Vp8Pictures | Vp9Pictures | Av1Pictures]] = {
    "vp8": Vp8Pictures,
    "vp9": Vp9Pictures,
    "av1": Av1Pictures,
}


def packet_kinds(codec: str, extradata: bytes) -> KindOf:
    """What tells the kind of a stream's packets, to be asked about each of them in order.

    Args:
        codec: canonical name of the codec; of one that is not known, all are pictures.
        extradata: of the stream's header; empty if there is none.
    """
    if codec in _SYNTAXES:
        return NalPictures(_SYNTAXES[codec], length_size(codec, extradata), extradata).kind
    return _OTHERS[codec]().kind if codec in _OTHERS else lambda _: "picture"
