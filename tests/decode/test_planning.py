"""Times read off packets are those of the frames that a decoder gives, for any codec."""

from __future__ import annotations

import itertools
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from streamer.decode.header import time_base_of
from streamer.decode.opening import choose_stream, open_container
from streamer.decode.packet_kinds import packet_kinds
from streamer.decode.planning import BatchPlan, Planner
from streamer.decode.timeline import Timeline
from tests.decode.decoders import DECODERS, VP9
from tests.decode.reading import Decoded
from tests.decode.test_decoders import LATE_AND_UNEVEN, begin_later, show_again
from tests.media import Coding, numbered_video, shared_media

PYAV = DECODERS["pyav"]
DEEP = {"bf": "8", "b-pyramid": "normal", "refs": "8"}
FILES = {
    "h264.mp4": Coding(),
    "h264.mkv": Coding(),
    "h264-deep.mp4": Coding(b_frames=8, options=DEEP),
    "h264-deep.mkv": Coding(b_frames=8, options=DEEP),
    "h264-uneven.mp4": Coding(times=LATE_AND_UNEVEN),
    "h264-fragmented.mp4": Coding(muxing={"movflags": "frag_keyframe+empty_moov"}),
    "hevc.mp4": Coding("libx265", options={"x265-params": "log-level=none"}),
    "hevc-10bit.mkv": Coding("libx265", "yuv420p10le", options={"x265-params": "log-level=none"}),
    "mpeg4.mp4": Coding("mpeg4"),
    "vp9.webm": VP9,
}


class Planned:
    """All plans of a file, made as DALI's stream makes them; ``bad`` is one it would get wrong."""

    def __init__(self, path: Path, frames: int = 32, bad: int | None = None) -> None:
        with open_container(path, PYAV) as container:
            stream = choose_stream(container)
            self.time_base = time_base_of(stream)
            rate = stream.average_rate or Fraction(25)
            timeline = Timeline(self.time_base, rate)
            coding = stream.codec_context
            kind_of = packet_kinds(coding.codec.canonical_name, coding.extradata or b"")
            asked = itertools.count()
            planner = Planner(
                container,
                stream,
                timeline,
                PYAV.sample_rate,
                lambda packet: "other" if next(asked) == bad else kind_of(packet),
            )
            self.plans: list[BatchPlan] = []
            self.ahead: list[int] = []
            for plan in planner.plans(frames):
                self.plans.append(plan)
                self.ahead.append(timeline.elapsed)
            self.is_whole = planner.ended_at is None

    @property
    def starts(self) -> list[Fraction]:
        return [int(ticks) * self.time_base for plan in self.plans for ticks in plan.times[:-1]]

    @property
    def end(self) -> Fraction:
        return int(self.plans[-1].times[-1]) * self.time_base

    @property
    def sampled(self) -> list[int]:
        return [plan.first_index + place for plan in self.plans for place in plan.sampled]


def agree(path: Path) -> None:
    planned, decoded = Planned(path), Decoded(path, PYAV)
    assert planned.starts == decoded.starts
    assert planned.end == decoded.end
    assert planned.sampled == [sample.index for sample in decoded.samples]
    for before, after in pairwise(planned.plans):
        assert after.first_index == before.first_index + len(before)
        assert after.times[0] == before.times[-1]


@pytest.mark.parametrize("name", FILES)
def test_as_decoded(name: str, tmp_path: Path) -> None:
    agree(numbered_video(tmp_path / name, 75, coding=FILES[name]))


@pytest.mark.parametrize("frames", [5, 10, 17])
def test_what_an_edit_list_cuts_off_is_not_for_dali(frames: int, tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "whole.mp4", 75, coding=Coding(b_frames=0))
    planned = Planned(begin_later(whole, tmp_path / "v.mp4", Fraction(frames, 25)))
    assert planned.starts == []
    assert not planned.is_whole


def test_real_videos() -> None:
    for path in sorted(shared_media().glob("*.mp4")):
        if not path.name.startswith("reel"):  # the same material, minutes of it
            agree(path)


def test_packets_are_read_only_a_little_ahead(tmp_path: Path) -> None:
    planned = Planned(numbered_video(tmp_path / "v.mp4", 500), 32)
    frame = round(Fraction(1, 25) / planned.time_base)
    for plan, ahead in zip(planned.plans, planned.ahead, strict=True):
        assert ahead <= (plan.first_index + 2 * 32) * frame


@pytest.mark.parametrize("bad", [*range(1, 20), 70, 74])
def test_plans_end_before_the_first_frame_that_dali_would_get_wrong(
    bad: int, tmp_path: Path
) -> None:
    path = numbered_video(tmp_path / "v.mp4", 75, coding=Coding(b_frames=8, options=DEEP))
    whole, planned = Planned(path), Planned(path, bad=bad)
    wrong = presented(path)[bad:]
    count = max(0, whole.starts.index(min(wrong)) - 1)
    assert not planned.is_whole
    assert planned.starts == whole.starts[:count]
    assert not planned.plans or planned.end == whole.starts[count]


def presented(path: Path) -> list[Fraction]:
    """When the frame of each packet is shown, in the order of the file."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [packet.pts * packet.time_base for packet in packets if packet.pts is not None]


def test_plans_end_before_a_packet_that_is_no_picture(tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "whole.webm", 75, coding=VP9)
    planned = Planned(show_again(whole, tmp_path / "v.webm", 40))
    assert len(planned.starts) == 39
    assert not planned.is_whole


def test_plans_end_where_timestamps_pass_32_bits(tmp_path: Path) -> None:
    limit = Fraction(1 << 31, 90_000)
    times = [limit + Fraction(index, 25) for index in range(-30, 45)]
    planned = Planned(numbered_video(tmp_path / "v.mp4", 75, coding=Coding(times=times)))
    assert planned.starts[-1] < limit - Fraction(1, 25) <= planned.end < limit


@pytest.mark.parametrize("frames", [1, 7, 32])
def test_any_length_of_steps_gives_the_same_times(frames: int, tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 75)
    planned, other = Planned(path, frames), Planned(path, 32)
    assert (planned.starts, planned.end, planned.sampled) == (
        *(other.starts, other.end, other.sampled),
    )
