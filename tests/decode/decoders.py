"""Every decoder as tests ask for it; one that this machine cannot run skips with its reason."""

from __future__ import annotations

import pytest

from streamer.config import DecodeSettings
from streamer.decode.choosing import choose
from streamer.decode.gpu import this_machine
from streamer.errors import WorkerBroken
from tests.media import Coding

DECODERS = {
    "pyav": DecodeSettings(threads=2, decoder="pyav"),
    "dali-cpu": DecodeSettings(threads=2, decoder="dali", device="cpu"),
    "dali-gpu": DecodeSettings(threads=2, decoder="dali", device="gpu"),
}

# What DALI's CPU decoder takes as well; deadline=realtime keeps encoding fast.
VP9 = Coding("libvpx-vp9", options={"cpu-used": "8", "deadline": "realtime"}, b_frames=0)
VP8 = Coding("libvpx", options={"cpu-used": "8", "deadline": "realtime"}, b_frames=0)
MJPEG = Coding("mjpeg", "yuvj420p", full_range=True, b_frames=0)


def settings_of(decoder: str) -> DecodeSettings:
    """The settings of a decoder; skips the test where it cannot run."""
    try:
        choose(DECODERS[decoder], this_machine())
    except WorkerBroken as error:
        pytest.skip(error.message)
    return DECODERS[decoder]
