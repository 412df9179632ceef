"""The contract of decoding, over every decoder: the same frames, times, sizes and samples.

Files are VP8, VP9 and MJPEG, which DALI also decodes on a CPU; what only NVDEC takes is at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import pytest
from av.packet import Packet
from av.video.stream import VideoStream
from skimage import data

from streamer.config import DecodeSettings
from streamer.decode import AVERAGED, SPARSE, SmallFormat, open_video
from streamer.decode.interface import Pixels
from streamer.errors import JobError, JobFailed
from tests.decode.decoders import DECODERS, MJPEG, VP8, VP9, settings_of
from tests.decode.reading import Decoded
from tests.media import Coding, flat_picture, numbered_video, read_number, write_video

SIZE = (192, 160)  # above the least that NVDEC takes, which for HEVC is 144x144
LATE_AND_UNEVEN = [5 + Fraction(index * index, 500) for index in range(75)]
FILES = {
    "vp9.webm": VP9,
    "vp9.mkv": VP9,
    "vp9.mp4": VP9,
    "vp9.ivf": VP9,
    "vp9-alt-ref.webm": Coding("libvpx-vp9", options={"cpu-used": "8", "auto-alt-ref": "1"}),
    "vp9-444.webm": replace(VP9, pix_fmt="yuv444p"),
    "vp9-uneven.webm": replace(VP9, times=LATE_AND_UNEVEN),
    "vp9-uneven.mp4": replace(VP9, times=LATE_AND_UNEVEN),
    "vp9-24000-1001.mp4": replace(VP9, rate=Fraction(24000, 1001)),
    "vp8.webm": VP8,
    "mjpeg.mkv": MJPEG,
}
REFUSED_BY_NVDEC = ("vp9-444.webm", "mjpeg.mkv")
# Of 255, over natural pictures: the mean over all pixels of a video, and 999 pixels of 1000.
SMALL_BOUNDS = (0.4, 5)
SAMPLE_BOUNDS = (3.0, 20)


@pytest.fixture(params=DECODERS)
def settings(request: pytest.FixtureRequest) -> DecodeSettings:
    """Settings that ask for each decoder in turn."""
    return settings_of(request.param)


@pytest.fixture(params=[name for name in DECODERS if name != "pyav"])
def dali(request: pytest.FixtureRequest) -> DecodeSettings:
    """Settings that ask for DALI on each device in turn."""
    return settings_of(request.param)


def same(path: Path, settings: DecodeSettings, small: SmallFormat = AVERAGED) -> Decoded:
    """The video decoded as set, which must be what PyAV gives but for its pixels."""
    video = Decoded(path, settings, small)
    other = Decoded(path, replace_decoder(settings), small)
    assert video.info == other.info
    assert (video.starts, video.end, video.damage) == (other.starts, other.end, other.damage)
    assert [(s.index, s.time, s.pixels.shape) for s in video.samples] == [
        (s.index, s.time, s.pixels.shape) for s in other.samples
    ]
    assert video.repaired_times == other.repaired_times
    assert np.stack(video.small).shape == np.stack(other.small).shape
    return video


def replace_decoder(settings: DecodeSettings) -> DecodeSettings:
    """The same settings for PyAV."""
    return settings.model_copy(update={"decoder": "pyav", "device": "auto"})


@pytest.mark.parametrize("name", FILES)
def test_every_frame_once_and_in_order(name: str, settings: DecodeSettings, tmp_path: Path) -> None:
    if settings == DECODERS["dali-gpu"] and name in REFUSED_BY_NVDEC:
        path = numbered_video(tmp_path / name, 9, SIZE, FILES[name])
        assert refusal(path, settings) == "unsupported_codec"
        return
    video = same(numbered_video(tmp_path / name, 75, SIZE, FILES[name]), settings)
    assert video.numbers == list(range(75))
    assert [read_number(sample.pixels) for sample in video.samples] == [
        sample.index for sample in video.samples
    ]
    assert video.damage is None or "uneven" in name  # a late start counts as length in WebM


def test_it_says_who_decoded(settings: DecodeSettings, tmp_path: Path) -> None:
    with open_video(numbered_video(tmp_path / "v.webm", 9, SIZE, VP9), settings) as video:
        assert sum(map(len, video.batches())) == 9
        assert DECODERS[video.decoder] == settings
        assert video.decoder_reason == (
            "decode.decoder is pyav" if video.decoder == "pyav" else None
        )


def test_it_says_where_and_why_pyav_goes_on(dali: DecodeSettings, tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "whole.webm", 120, SIZE, VP9)
    with open_video(show_again(whole, tmp_path / "v.webm", 70), dali) as video:
        decoders = [video.decoder for _ in video.batches()]
        assert {decoders[0], decoders[-1]} == {f"dali-{dali.device}", f"dali-{dali.device}+pyav"}
        assert video.decoder == decoders[-1]
        assert video.decoder_reason == (
            "DALI stopped after 69 frames: the next packets are not each one picture that is shown"
        )


def test_batches_join_without_gaps(settings: DecodeSettings, tmp_path: Path) -> None:
    batches = Decoded(numbered_video(tmp_path / "v.webm", 75, SIZE, VP9), settings).batches
    assert [len(batch) for batch in batches] == [32, 32, 11]
    for before, after in pairwise(batches):
        assert after.first_index == before.end_index
        assert after.times[0] == before.times[-1]


@pytest.mark.parametrize("frames", [2, 32, 33, 64])
def test_no_frame_is_lost_at_the_end(frames: int, settings: DecodeSettings, tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.webm", frames, SIZE, VP9)
    assert same(path, settings).numbers == list(range(frames))


@pytest.mark.parametrize("size", [(321, 193), (193, 321), (640, 360), (1280, 720), (1000, 144)])
def test_sizes(size: tuple[int, int], settings: DecodeSettings, tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.webm", 5, size, VP9)
    if settings == DECODERS["dali-gpu"] and size[0] % 2:
        assert refusal(path, settings) == "unsupported_codec"
        return
    video = same(path, settings.model_copy(update={"sample_short_side": 180}))
    assert (video.info.width, video.info.height) == size
    assert video.samples[0].pixels.flags.c_contiguous


@pytest.mark.parametrize("pixel_shape", [Fraction(4, 3), Fraction(3, 4)])
def test_pixels_that_are_not_square(
    pixel_shape: Fraction, settings: DecodeSettings, tmp_path: Path
) -> None:
    coding = replace(VP9, pixel_shape=pixel_shape)
    video = same(numbered_video(tmp_path / "v.mp4", 5, SIZE, coding), settings)
    assert video.info.width == round(SIZE[0] * pixel_shape)


@pytest.mark.parametrize("small", [AVERAGED, SPARSE])
@pytest.mark.parametrize(("rotation", "mirrored"), [(90, False), (180, False), (270, True)])
def test_display_matrix(
    rotation: int, mirrored: bool, small: SmallFormat, settings: DecodeSettings, tmp_path: Path
) -> None:
    coding = replace(VP9, rotation=rotation, mirrored=mirrored)
    video = same(numbered_video(tmp_path / "v.mp4", 20, SIZE, coding), settings, small)
    upright = [np.rot90(p[:, ::-1] if mirrored else p, -rotation // 90) for p in video.small]
    assert [read_number(picture) for picture in upright] == list(range(20))


def test_an_edit_list_cuts_the_beginning_off(settings: DecodeSettings, tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "whole.mp4", 75, SIZE, VP9)
    path = begin_later(whole, tmp_path / "v.mp4", Fraction(10, 25))
    if settings.decoder == "dali":
        assert refusal(path, settings) == "unsupported_codec"  # `auto` decodes it by PyAV
        return
    video = Decoded(path, settings)
    assert video.numbers == list(range(10, 75))
    assert video.starts[0] == 0


def begin_later(whole: Path, path: Path, skipped: Fraction) -> Path:
    """The same packets with an edit list that starts ``skipped`` seconds in."""
    muxing = {"use_editlist": "1", "avoid_negative_ts": "disabled"}
    with av.open(str(whole)) as source, av.open(str(path), "w", options=muxing) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size and packet.pts is not None and packet.dts is not None:
                ticks = int(skipped / packet.time_base)
                packet.pts, packet.dts = packet.pts - ticks, packet.dts - ticks
                packet.stream = stream
                target.mux(packet)
    return path


def test_sample_rate(settings: DecodeSettings, tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.webm", 50, SIZE, VP9)
    samples = same(path, settings.model_copy(update={"sample_rate": 5.0})).samples
    assert [sample.index for sample in samples] == list(range(0, 50, 5))


def test_a_batch_without_samples(settings: DecodeSettings, tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.webm", 110, SIZE, VP9)
    samples = same(path, settings.model_copy(update={"sample_rate": 0.25})).samples
    assert [read_number(sample.pixels) for sample in samples] == [0, 100]


@pytest.mark.parametrize(
    "coding",
    [
        VP9,
        replace(VP9, matrix=1, tagged=True),
        replace(VP9, matrix=9, tagged=True),
        replace(VP9, matrix=5, full_range=True, tagged=True),
        MJPEG,
    ],
    ids=["BT.601", "BT.709", "BT.2020", "full range", "MJPEG"],
)
def test_colours(coding: Coding, settings: DecodeSettings, tmp_path: Path) -> None:
    if settings == DECODERS["dali-gpu"] and coding == MJPEG:
        pytest.skip("DALI does not decode MJPEG on a GPU")
    for colour in ((128, 128, 128), (200, 150, 120), (30, 60, 220), (240, 240, 230)):
        path = write_video(tmp_path / "c.mkv", [flat_picture(colour, *SIZE)] * 2, coding)
        video = Decoded(path, settings)
        for picture in (video.small[0], video.samples[0].pixels):
            assert np.abs(picture.astype(int) - colour).max() <= 5


def natural_pictures() -> Iterator[Pixels]:
    """A window that moves over photographs, 1280x720."""
    for name in ("astronaut", "coffee", "chelsea"):
        photograph = getattr(data, name)()
        for frame in range(12):
            window = photograph[frame : frame + 168, 2 * frame : 2 * frame + 300]
            yield cv2.resize(window, (1280, 720), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("matrix", [1, 5])
def test_pixels_are_near_those_of_pyav(matrix: int, dali: DecodeSettings, tmp_path: Path) -> None:
    coding = replace(VP9, matrix=matrix, tagged=True, options={**VP9.options, "b": "4M"})
    path = write_video(tmp_path / "v.webm", natural_pictures(), coding)
    video, other = same(path, dali), Decoded(path, replace_decoder(dali))
    near(np.stack(video.small), np.stack(other.small), SMALL_BOUNDS)
    ours, theirs = (np.stack([sample.pixels for sample in each.samples]) for each in (video, other))
    near(ours, theirs, SAMPLE_BOUNDS)


def near(ours: Pixels, theirs: Pixels, bounds: tuple[float, float]) -> None:
    """Differences of pixels are within a mean and a limit for 999 of 1000."""
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.mean() <= bounds[0]
    assert np.percentile(apart, 99.9) <= bounds[1]


def test_the_end_is_cut_off(settings: DecodeSettings, tmp_path: Path) -> None:
    content = numbered_video(tmp_path / "whole.webm", 200, SIZE, VP9).read_bytes()
    (tmp_path / "v.webm").write_bytes(content[: len(content) * 6 // 10])
    video = same(tmp_path / "v.webm", settings)
    assert 50 < len(video.small) < 190
    assert video.damage is not None
    assert "of 8.0 s" in video.damage


@pytest.mark.parametrize("broken", [33, 64, 100])
def test_pyav_goes_on_where_dali_meets_a_broken_packet(
    broken: int, dali: DecodeSettings, tmp_path: Path
) -> None:
    path = break_packets(numbered_video(tmp_path / "v.mp4", 200, SIZE, VP9), broken)
    video, other = Decoded(path, dali), Decoded(path, replace_decoder(dali))
    assert (video.end, video.damage) == (other.end, other.damage)
    assert len(video.starts) == len(other.starts) < 200
    # Behind the break pictures are made of what is left, until the next key frame.
    assert video.numbers[:broken] == list(range(broken))
    assert video.numbers[-60:] == other.numbers[-60:] == list(range(140, 200))
    # Of the first frame after a break at a batch's beginning, the end of the batch before is known.
    assert [a for a in video.starts if a not in other.starts] in ([], [Fraction(broken, 25)])
    assert [s.index for s in video.samples] == [s.index for s in other.samples]
    sampled = [read_number(sample.pixels) for sample in video.samples]
    assert set(sampled) >= {s.index for s in video.samples if s.index < broken}
    assert sampled[-6:] == [sample.time * 25 for sample in video.samples[-6:]]
    for before, after in pairwise(video.batches):
        assert after.first_index == before.end_index
        assert after.times[0] == before.times[-1]


def test_it_ends_at_a_broken_packet_if_so_set(dali: DecodeSettings, tmp_path: Path) -> None:
    path = break_packets(numbered_video(tmp_path / "v.mp4", 200, SIZE, VP9), 100)
    partial = dali.model_copy(update={"after_break": "partial"})
    video, other = Decoded(path, partial), Decoded(path, replace_decoder(dali))
    assert 32 <= len(video.small) <= 100
    assert video.numbers == list(range(len(video.small)))
    assert video.starts == other.starts[: len(video.starts)]
    assert video.damage is not None
    assert "decoding stopped at 0:0" in video.damage
    assert "of 8.0 s" in video.damage


@pytest.mark.parametrize("shown_again", [40, 64, 100])
def test_a_packet_that_shows_a_picture_again(
    shown_again: int, settings: DecodeSettings, tmp_path: Path
) -> None:
    whole = numbered_video(tmp_path / "whole.webm", 120, SIZE, VP9)
    video = same(show_again(whole, tmp_path / "v.webm", shown_again), settings)
    again = shown_again - 1
    assert video.numbers == [*range(shown_again), again, *range(shown_again, 120)]


def test_what_is_sound_is_decoded_whole_in_any_case(dali: DecodeSettings, tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "whole.webm", 120, SIZE, VP9)
    partial = dali.model_copy(update={"after_break": "partial"})
    video = Decoded(show_again(whole, tmp_path / "v.webm", 70), partial)
    assert len(video.small) == 121
    assert video.damage is None


@pytest.mark.parametrize("coding", [VP8, VP9], ids=["vp8", "vp9"])
def test_pictures_change_their_size(
    coding: Coding, settings: DecodeSettings, tmp_path: Path
) -> None:
    large = numbered_video(tmp_path / "large.webm", 40, SIZE, coding)
    small = numbered_video(tmp_path / "small.webm", 40, (160, 144), coding)
    video = same(join(large, small, tmp_path / "v.webm"), settings)
    assert video.numbers == [*range(40), *range(40)]


def join(first: Path, second: Path, path: Path) -> Path:
    """The packets of both files, at 25 a second."""
    with av.open(str(first)) as one, av.open(str(second)) as two, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(one.streams.video[0])
        packets = [*one.demux(one.streams.video[0]), *two.demux(two.streams.video[0])]
        for place, packet in enumerate(packet for packet in packets if packet.size):
            packet.time_base, packet.pts, packet.dts = Fraction(1, 25), place, place
            packet.stream = stream
            target.mux(packet)
    return path


def test_a_hidden_picture_ends_no_frame(settings: DecodeSettings, tmp_path: Path) -> None:
    path = hide_another(numbered_video(tmp_path / "whole.webm", 80, SIZE, VP8), tmp_path / "v.webm")
    assert same(path, settings).starts == [Fraction(index, 25) for index in range(80)]


def show_again(whole: Path, path: Path, number: int) -> Path:
    """The same packets, with one before packet ``number`` that shows the last picture again."""
    # Frame marker, profile 0, show_existing_frame, and which of the eight kept frames.
    places = [Fraction(place, 25) for place in range(1000)]
    return insert(whole, path, number, b"\x88", places)


def hide_another(whole: Path, path: Path) -> Path:
    """The same packets of VP8, with packet 50 before itself, not to be shown, a bit too early."""
    with av.open(str(whole)) as source:
        packet = [bytes(packet) for packet in source.demux(video=0)][50]
    places = [Fraction(place - (place > 50), 25) for place in range(1000)]
    places[50] = places[49] + Fraction(1, 1000)
    return insert(whole, path, 50, bytes([packet[0] & ~16]) + packet[1:], places)


def insert(whole: Path, path: Path, number: int, data: bytes, times: list[Fraction]) -> Path:
    """The same packets and one more before packet ``number``, at new times in seconds."""
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(source.streams.video[0]) if packet.size]
        packets.insert(number, cast("Packet[VideoStream]", Packet(data)))
        for time, packet in zip(times, packets, strict=False):
            packet.time_base = Fraction(1, 1000)
            packet.pts = packet.dts = int(time * 1000)
            packet.stream = stream
            target.mux(packet)
    return path


def test_timestamps_of_more_than_32_bits(settings: DecodeSettings, tmp_path: Path) -> None:
    start = Fraction(1 << 31, 90_000) - Fraction(40, 25)
    times = [start + Fraction(index, 25) for index in range(75)]
    video = same(numbered_video(tmp_path / "v.mp4", 75, SIZE, replace(VP9, times=times)), settings)
    assert video.numbers == list(range(75))


def test_dali_refuses_what_begins_broken(dali: DecodeSettings, tmp_path: Path) -> None:
    path = break_packets(numbered_video(tmp_path / "v.mp4", 60, SIZE, VP9), 5)
    with pytest.raises(JobFailed, match="pyav") as caught:
        Decoded(path, dali)
    assert caught.value.kind == "undecodable"


def break_packets(path: Path, number: int) -> Path:
    """Overwrite one packet of a file."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    start, size = packets[number].pos, packets[number].size
    assert start is not None
    content[start : start + size] = b"\xff" * size
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("taken", [0, 1])
def test_closing_in_the_middle_ends_the_iteration(
    taken: int, settings: DecodeSettings, tmp_path: Path
) -> None:
    video = open_video(numbered_video(tmp_path / "v.webm", 200, SIZE, VP9), settings)
    batches = video.batches()
    assert [len(batch) for batch in islice(batches, taken)] == [32] * taken
    video.close()
    assert list(batches) == []
    video.close()


def test_a_name_may_come_again(settings: DecodeSettings, tmp_path: Path) -> None:
    for frames in (40, 75):
        path = numbered_video(tmp_path / "v.webm", frames, SIZE, VP9)
        assert len(Decoded(path, settings).small) == frames


@pytest.mark.parametrize(
    ("limits", "frames", "kind"),
    [
        ({}, 1, "single_frame"),
        ({"max_seconds": 1.0}, 100, "too_long"),
        ({"max_pixels": 100}, 5, "too_many_pixels"),
    ],
)
def test_refusals(
    limits: dict[str, float], frames: int, kind: str, settings: DecodeSettings, tmp_path: Path
) -> None:
    path = numbered_video(tmp_path / "v.webm", frames, SIZE, VP9)
    assert refusal(path, settings.model_copy(update=limits)) == kind


def test_a_length_over_the_limit_that_no_header_states(
    settings: DecodeSettings, tmp_path: Path
) -> None:
    path = numbered_video(tmp_path / "v.ivf", 200, SIZE, VP9)
    limited = settings.model_copy(update={"max_seconds": 3.0})
    assert refusal(path, limited) == "too_long"


def test_what_is_no_video(settings: DecodeSettings, tmp_path: Path) -> None:
    (tmp_path / "v.webm").write_text("<!DOCTYPE html><html></html>")
    assert refusal(tmp_path / "v.webm", settings) == "not_a_video"
    assert refusal(tmp_path / "gone.webm", settings) == "unreadable"


def refusal(path: Path, settings: DecodeSettings) -> str:
    with pytest.raises(JobError) as caught:
        Decoded(path, settings)
    return caught.value.kind


HARDWARE_ONLY = {
    "h264.mp4": Coding(),
    "h264.mkv": Coding(),
    "h264-no-b.mp4": Coding(b_frames=0),
    "h264-uneven.mp4": Coding(times=LATE_AND_UNEVEN),
    "hevc.mp4": Coding("libx265", options={"x265-params": "log-level=none"}),
    "hevc-10bit.mp4": Coding("libx265", "yuv420p10le", options={"x265-params": "log-level=none"}),
}


@pytest.mark.parametrize("name", HARDWARE_ONLY)
def test_a_gpu_also_takes(name: str, tmp_path: Path) -> None:
    settings = settings_of("dali-gpu")
    path = numbered_video(tmp_path / name, 75, SIZE, HARDWARE_ONLY[name])
    assert same(path, settings).numbers == list(range(75))


@pytest.mark.parametrize(
    ("name", "coding"),
    [*HARDWARE_ONLY.items(), ("vp9.avi", VP9), ("mpeg2.mkv", Coding("mpeg2video"))],
)
def test_the_cpu_decoder_of_dali_refuses(name: str, coding: Coding, tmp_path: Path) -> None:
    path = numbered_video(tmp_path / name, 5, SIZE, coding)
    assert refusal(path, settings_of("dali-cpu")) == "unsupported_codec"
