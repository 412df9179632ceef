"""One pass over a video: small frames of everything, sampled frames for the models."""

from streamer.decode.choosing import open_video
from streamer.decode.interface import (
    AVERAGED,
    SPARSE,
    FrameBatch,
    Sample,
    SmallFormat,
    VideoInfo,
    VideoStream,
)

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
