"""Decoding in groups side by side gives what one decoder gives, frame by frame."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config import DecodeSettings
from streamer.decode import open_video
from streamer.decode.entry_points import entry_points
from streamer.decode.group_decoder import decoder_count
from streamer.decode.groups import GroupReader
from streamer.decode.parallel import ParallelDecoder
from streamer.decode.timeline import SamplePoints
from tests.decode.reading import Decoded
from tests.media import Coding, numbered_video, shared_media

ALONE = DecodeSettings(threads=1, decoder="pyav")
TWO = DecodeSettings(threads=2, decoder="pyav")
CLOSED = Coding(options={"g": "20", "keyint_min": "20", "sc_threshold": "0"})
ENDLESS = Coding(options={"g": "1000", "sc_threshold": "0"})
ODD_TIMES = [3 + Fraction(index * index, 5000) for index in range(240)]


def assert_equal(path: Path, threads: int) -> Decoded:
    """Both ways give the same; returns what came."""
    one, many = Decoded(path, ALONE), Decoded(path, ALONE.model_copy(update={"threads": threads}))
    assert many.starts == one.starts
    assert many.end == one.end
    np.testing.assert_array_equal(np.stack(many.small), np.stack(one.small))
    assert [(s.index, s.time) for s in many.samples] == [(s.index, s.time) for s in one.samples]
    for ours, theirs in zip(many.samples, one.samples, strict=True):
        np.testing.assert_array_equal(ours.pixels, theirs.pixels)
    assert many.repaired_times == one.repaired_times
    return many


@pytest.fixture
def pictures_of_groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each video got from decoders side by side."""
    counts: list[int] = []
    plain = ParallelDecoder.pictures

    def counted(self: ParallelDecoder) -> Any:
        counts.append(0)
        for picture in plain(self):
            counts[-1] += 1
            yield picture

    monkeypatch.setattr(ParallelDecoder, "pictures", counted)
    return counts


@pytest.mark.parametrize("threads", [2, 3, 9])
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("v.mp4", CLOSED),
        ("v.ts", CLOSED),
        ("odd.mp4", Coding(times=ODD_TIMES, options=dict(CLOSED.options))),
        ("v.mkv", Coding(b_frames=0, options={"g": "1"})),
        ("v.webm", Coding("libvpx-vp9", b_frames=0, options={"g": "30", "deadline": "realtime"})),
        ("turned.mp4", Coding(rotation=90, options=dict(CLOSED.options))),
    ],
)
def test_groups_give_what_one_decoder_gives(
    tmp_path: Path, name: str, coding: Coding, threads: int, pictures_of_groups: list[int]
) -> None:
    video = assert_equal(numbered_video(tmp_path / name, 240, coding=coding), threads)
    assert len(video.small) == 240
    assert video.damage is None
    assert pictures_of_groups == [240]


def test_open_groups_are_decoded_in_one_go(tmp_path: Path, pictures_of_groups: list[int]) -> None:
    coding = Coding(options={"g": "20", "x264-params": "open-gop=1:scenecut=0:keyint=20"})
    video = assert_equal(numbered_video(tmp_path / "v.mp4", 200, coding=coding), 2)
    assert video.numbers == list(range(200))
    assert pictures_of_groups == [200 if _refreshes(tmp_path / "v.mp4") == 1 else 0]


def _refreshes(path: Path) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        test = entry_points("h264", stream.codec_context.extradata or b"")
        assert test is not None
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert sum(packet.is_keyframe for packet in packets) > 5
    return sum(map(test, packets))


def test_a_group_too_long_to_hold_is_decoded_frame_by_frame(
    tmp_path: Path, pictures_of_groups: list[int]
) -> None:
    path = numbered_video(tmp_path / "v.mp4", 700, coding=ENDLESS)
    assert assert_equal(path, 2).numbers == list(range(700))
    assert pictures_of_groups == [0]


def test_from_a_damaged_group_on_it_goes_on_frame_by_frame(
    tmp_path: Path, pictures_of_groups: list[int]
) -> None:
    path = tmp_path / "noisy.mp4"
    data = bytearray((shared_media() / "ofzQHwCPN2Y.24.mp4").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(data)
    one, many = Decoded(path, ALONE), Decoded(path, TWO)
    assert many.damage is not None
    assert many.damage.split(";")[1:] == one.damage.split(";")[1:]  # type: ignore[union-attr]
    assert many.starts == one.starts
    assert 0 < pictures_of_groups[0] < len(many.small)


def test_real_videos(pictures_of_groups: list[int]) -> None:
    for path in sorted(shared_media().glob("*.mp4"))[:6]:
        video = assert_equal(path, 2)
        assert pictures_of_groups.pop() in (0, len(video.small))


def test_closing_while_groups_are_decoded(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 400, coding=CLOSED)
    for taken in (0, 1, 5):
        video = open_video(path, TWO)
        batches = video.batches()
        assert len([*islice(batches, taken)]) == taken
        video.close()
        assert [*batches] == []


@pytest.mark.parametrize(("seconds", "regular"), [(0.04, True), (1.0, False)])
def test_what_a_group_may_hold(tmp_path: Path, seconds: float, regular: bool) -> None:
    times = [Fraction(str(seconds)) * index for index in range(60)]
    coding = Coding(times=times, options=dict(CLOSED.options))
    path = numbered_video(tmp_path / "v.mp4", 60, coding=coding)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = (packet for packet in container.demux(stream) if packet.size)
        test = entry_points("h264", stream.codec_context.extradata or b"")
        assert test is not None
        reader = GroupReader(packets, test)
        groups = list(reader.read())
        left = list(reader.rest())
    assert groups[0].is_regular == regular
    assert sum(len(group.packets) for group in groups) + len(left) == 60


@given(st.lists(st.integers(1, 200), min_size=2, max_size=50), st.sampled_from([0.5, 4.0, 29.97]))
def test_samples_of_groups_are_those_of_the_whole(gaps: list[int], rate: float) -> None:
    starts = [sum(gaps[:count]) for count in range(len(gaps) + 1)]
    whole = SamplePoints(rate, Fraction(1, 600), 0)
    for previous, start in zip([None, *starts], starts, strict=False):
        between = previous is None or whole.lie_between(previous, start)
        assert whole.due(start) == between


@pytest.mark.parametrize(
    ("threads", "width", "height", "count"),
    [(1, 640, 360, 1), (2, 640, 360, 2), (8, 3840, 2160, 4), (8, 7680, 4320, 1)],
)
def test_decoders_fit_the_threads_and_the_memory(
    threads: int, width: int, height: int, count: int
) -> None:
    assert decoder_count(DecodeSettings(threads=threads), width * height) == count


def test_codecs_without_entry_points_that_can_be_told() -> None:
    assert entry_points("mpeg4", b"") is None
    assert entry_points("av1", b"\x81") is None
