"""One pass over a video: small frames of everything, sampled frames for the models."""

from streamer.decode.interface import FrameBatch, Sample, VideoInfo, VideoStream
from streamer.decode.pyav import open_video

__all__ = ["FrameBatch", "Sample", "VideoInfo", "VideoStream", "open_video"]
