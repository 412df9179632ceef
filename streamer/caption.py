"""Captions: each closed clip is announced at once, and captioned while later frames decode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from streamer.decode.interface import Pixels
from streamer.in_flight import InFlight
from streamer.stitch import Clip
from streamer_client.triton import CaptionResult

Ask = Callable[[Clip, Pixels], "Future[CaptionResult]"]


@dataclass(frozen=True)
class CaptionedClip:
    """A clip and what the captioners say of it."""

    clip: Clip
    result: CaptionResult


def caption_clips(
    clips: Iterable[Clip], ask: Ask, in_flight: int
) -> Iterator[Clip | CaptionedClip]:
    """Yield each clip as it closes, and again, captioned, when its answer is there.

    Args:
        clips: closed clips, in order.
        ask: sends a clip, with its frames, uint8 RGB ``(T, H, W, 3)``, to the captioners.
        in_flight: clips that may wait for captions before decoding waits for them.
    """
    asked: InFlight[Clip, CaptionResult] = InFlight(in_flight)
    for clip in clips:
        yield clip
        asked.add(clip, ask(clip, np.stack([sample.pixels for sample in clip.samples])))
        yield from (CaptionedClip(*answer) for answer in asked.ready())
    yield from (CaptionedClip(*answer) for answer in asked.drain())
