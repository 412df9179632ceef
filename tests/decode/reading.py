"""What the tests of decoding ask of a stream, in one place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from streamer.config import DecodeSettings
from streamer.decode import AVERAGED, FrameBatch, Sample, SmallFormat, open_video
from streamer.decode.interface import Pixels
from tests.media import read_number

SETTINGS = DecodeSettings(threads=2)


class Decoded:
    """A whole video, decoded; only for the short ones of tests."""

    def __init__(
        self, path: Path, settings: DecodeSettings = SETTINGS, small: SmallFormat = AVERAGED
    ) -> None:
        with open_video(path, settings, small) as video:
            self.info = video.info
            self.batches: list[FrameBatch] = list(video.batches())
            self.damage = video.damage
            self.repaired_times = video.repaired_times

    @property
    def small(self) -> list[Pixels]:
        return [picture for batch in self.batches for picture in batch.small]

    @property
    def samples(self) -> list[Sample]:
        return [sample for batch in self.batches for sample in batch.samples]

    @property
    def starts(self) -> list[Fraction]:
        return [int(t) * b.time_base for b in self.batches for t in b.times[:-1]]

    @property
    def end(self) -> Fraction:
        return int(self.batches[-1].times[-1]) * self.batches[-1].time_base

    @property
    def numbers(self) -> list[int]:
        return [read_number(picture) for picture in self.small]
