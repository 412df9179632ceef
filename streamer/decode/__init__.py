"""One pass over a video: small frames of everything, sampled frames for the models."""

from streamer.decode.interface import (
    AVERAGED,
    SPARSE,
    FrameBatch,
    Sample,
    SmallFormat,
    VideoInfo,
    VideoStream,
)
from streamer.decode.pyav import open_video

__all__ = [
    "AVERAGED",
    "SPARSE",
    "FrameBatch",
    "Sample",
    "SmallFormat",
    "VideoInfo",
    "VideoStream",
    "open_video",
]
