"""What packets are to DALI, which takes each of them for one whole picture that is shown.

DALI's decoder on NVDEC gives the pictures that NVDEC's parser hands it the times of the packets in
their order (DALI 2.4, FramesDecoderGpu). A packet of which the parser makes no picture, or makes
one with the next packet only, would shift the times of all frames behind it, and nothing would
fail. Nor would it if pictures changed their size. Several pictures of one packet do no harm if the
one that is shown comes last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

# A sound packet that is not one picture of the stream's size is "other".
PacketKind = Literal["picture", "other", "damaged"]
KindOf = Callable[[bytes], PacketKind]
