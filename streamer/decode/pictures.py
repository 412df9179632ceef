"""Scales and colours decoded frames: 48x27 for the detectors, larger for the models."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from streamer.decode.geometry import Layout
from streamer.decode.interface import SMALL_HEIGHT, SMALL_WIDTH, Pixels

# Area averaging, since anything that skips pixels flickers and makes false cuts. Mean error
# against an exact area average of the RGB frame, and time, for 640x360 H.264 to 48x27:
# POINT 13.4, 8 us; FAST_BILINEAR 18.6, 17 us; BILINEAR 3.8; AREA 2.3, 68 us; AREA with full
# chroma 0.07, 75 us. Without full chroma swscale converts through tables that round down.
_SMALL = Interpolation.AREA | Interpolation.FULL_CHR_H_INT
# Samples of an unscaled frame would cost 1.1 ms with full chroma, 0.09 ms without; the models
# do not see the difference of 1.5 in 255.
_SAMPLE = Interpolation.AREA

# The values of AVColorSpace that name a matrix swscale has. Others (YCgCo, constant luminance,
# reserved) raise in it, and "unspecified" would always mean BT.601. RGB frames need none.
_KNOWN_MATRICES = frozenset({1, 4, 5, 6, 7, 9})
_HD_LINES = 720


class Pictures:
    """Makes both outputs of a frame, each through one scaler that is kept."""

    def __init__(self, layout: Layout) -> None:
        self._orientation = layout.orientation
        self._small_size = layout.orientation.size(SMALL_WIDTH, SMALL_HEIGHT)
        self._sample_size = layout.orientation.size(*layout.sample)
        # A scaler is set up anew whenever its sizes change, so the outputs do not share one.
        self._small_scaler, self._sample_scaler = VideoReformatter(), VideoReformatter()

    def small_into(self, frame: VideoFrame, target: Pixels) -> None:
        """Write the frame at 48x27 into ``target``, uint8 RGB ``(27, 48, 3)``."""
        scaled = _scaled(self._small_scaler, frame, self._small_size, _SMALL)
        target[:] = self._orientation.apply(scaled)

    def sample(self, frame: VideoFrame) -> Pixels:
        """The frame for the models, contiguous uint8 RGB ``(H, W, 3)``."""
        scaled = _scaled(self._sample_scaler, frame, self._sample_size, _SAMPLE)
        return np.ascontiguousarray(self._orientation.apply(scaled))


def _scaled(
    scaler: VideoReformatter, frame: VideoFrame, size: tuple[int, int], how: Interpolation
) -> Pixels:
    # threads=1: by default swscale starts a pool per call, which costs a fifth of the speed here.
    rgb = scaler.reformat(
        frame,
        *size,
        "rgb24",
        src_colorspace=_matrix(frame),
        interpolation=how,
        threads=1,
    )
    return rgb.to_ndarray()  # type: ignore[return-value]


def _matrix(frame: VideoFrame) -> int | None:
    if frame.colorspace in _KNOWN_MATRICES:
        return None
    return Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
