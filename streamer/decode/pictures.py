"""Scales and colours decoded frames: small for the detectors, larger for the models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from streamer.decode.geometry import Layout
from streamer.decode.interface import Pixels, SmallFormat

# Means are taken over areas: anything that skips pixels flickers with motion. Mean error
# against an exact area average of the RGB frame, and time, for 640x360 H.264 to 48x27:
# POINT 13.4, 8 us; FAST_BILINEAR 18.6, 17 us; BILINEAR 3.8; AREA 2.3, 68 us; AREA with full
# chroma 0.07, 75 us. Without full chroma swscale converts through tables that round down.
# Halving the planes by 2x2 means first (OpenCV, zero-copy) and scaling eight frames in one call is
# no faster beside the decoder's threads, where either takes 220 us, and errs more: 0.3 to 0.6
# against an average that is not rounded, where AREA with full chroma has 0.25.
_AVERAGED = Interpolation.AREA | Interpolation.FULL_CHR_H_INT
# Single pixels keep the detail by which PySceneDetect's scores rise, at a third of the time.
_SPARSE = Interpolation.POINT
# Samples of an unscaled frame would cost 1.1 ms with full chroma, 0.09 ms without; the models
# do not see the difference of 1.5 in 255.
_SAMPLE = Interpolation.AREA

# The values of AVColorSpace that name a matrix swscale has. Others (YCgCo, constant luminance,
# reserved) raise in it, and "unspecified" would always mean BT.601. RGB frames need none.
_KNOWN_MATRICES = frozenset({1, 4, 5, 6, 7, 9})
_HD_LINES = 720


class Pictures:
    """Makes both outputs of a frame, each through one scaler that is kept."""

    def __init__(self, layout: Layout, small: SmallFormat) -> None:
        self._orientation, self._stored = layout.orientation, layout.stored
        self._format = small
        self._small_size = layout.orientation.size(small.width, small.height)
        self._small_way = _AVERAGED if small.is_averaged else _SPARSE
        self._sample_size = layout.orientation.size(*layout.sample)
        # A scaler is set up anew whenever its sizes change, so the outputs do not share one.
        self._small_scaler, self._sample_scaler = VideoReformatter(), VideoReformatter()

    def fit(self, frame: VideoFrame) -> bool:
        """Whether the frame has the size that the layout was made for."""
        return (frame.width, frame.height) == self._stored

    def small(self, frame: VideoFrame) -> VideoFrame:
        """The frame scaled, RGB, but not yet turned, to be given to `stacked`."""
        return _scaled(self._small_scaler, frame, self._small_size, self._small_way)

    def stacked(self, small: Sequence[VideoFrame]) -> Pixels:
        """What `small` gave, turned as displayed, uint8 RGB ``(N, height, width, 3)``.

        Done for a whole batch: between two waits for the decoder, with cold caches, it costs 30 us
        a frame more than in a loop.
        """
        frames = np.empty((len(small), self._format.height, self._format.width, 3), np.uint8)
        for target, scaled in zip(frames, small, strict=True):
            target[:] = self._orientation.apply(_pixels(scaled))
        return frames

    def sample(self, frame: VideoFrame) -> Pixels:
        """The frame for the models, contiguous uint8 RGB ``(H, W, 3)``."""
        scaled = _scaled(self._sample_scaler, frame, self._sample_size, _SAMPLE)
        return np.ascontiguousarray(self._orientation.apply(_pixels(scaled)))


def _scaled(
    scaler: VideoReformatter, frame: VideoFrame, size: tuple[int, int], how: Interpolation
) -> VideoFrame:
    # threads=1: by default swscale starts a pool per call, which costs a fifth of the speed here.
    return scaler.reformat(
        frame,
        *size,
        "rgb24",
        src_colorspace=None if frame.colorspace in _KNOWN_MATRICES else matrix_of(frame),
        interpolation=how,
        threads=1,
    )


def _pixels(rgb: VideoFrame) -> Pixels:
    return rgb.to_ndarray()  # type: ignore[return-value]


def matrix_of(frame: VideoFrame) -> int:
    """The AVColorSpace to convert a frame to RGB by: its own, or what its size suggests."""
    if frame.colorspace in _KNOWN_MATRICES:
        return frame.colorspace
    return Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
