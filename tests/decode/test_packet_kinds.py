"""What encoders write is one picture a packet; what DALI would trip over is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import av
import pytest

from streamer.decode.nal_units import by_length, hevc_type
from streamer.decode.packet_kind import KindOf, PacketKind
from streamer.decode.packet_kinds import packet_kinds
from tests.decode.decoders import VP8, VP9
from tests.media import Coding, numbered_video, shared_media

QUIET = {"x265-params": "log-level=none"}
OPEN_GROUPS = {"x265-params": "log-level=none:open-gop=1:keyint=12:min-keyint=12:scenecut=0"}
HEVC = Coding("libx265", options=QUIET)
PLAIN = {
    "h264.mp4": Coding(),
    "h264-no-b.mkv": Coding(b_frames=0),
    "h264-deep.mp4": Coding(b_frames=8, options={"bf": "8", "b-pyramid": "normal", "refs": "8"}),
    "h264-slices.mp4": Coding(options={"slices": "4"}),
    "h264-mbaff.mp4": Coding(options={"x264-params": "interlaced=1:tff=1"}),
    "h264-open.mp4": Coding(options={"x264-params": "open-gop=1:keyint=12:bframes=3"}),
    "h264-refresh.mp4": Coding(options={"x264-params": "intra-refresh=1:keyint=12"}),
    "h264-headers.mp4": Coding(options={"x264-params": "repeat-headers=1:keyint=12"}),
    "h264.ts": Coding(),
    "hevc.mp4": HEVC,
    "hevc-10bit.mkv": replace(HEVC, pix_fmt="yuv420p10le"),
    "hevc-open.mp4": Coding("libx265", b_frames=4, options=OPEN_GROUPS),
    "hevc-slices.mp4": Coding("libx265", options={"x265-params": "log-level=none:slices=2"}),
    "hevc.ts": HEVC,
    "vp8.webm": VP8,
    "vp9.webm": VP9,
    "vp9-444.webm": replace(VP9, pix_fmt="yuv444p"),
    "vp9-alt-ref.webm": Coding("libvpx-vp9", options={"cpu-used": "8", "auto-alt-ref": "1"}),
}
KINDS = {name: PLAIN[name] for name in ("h264.mp4", "hevc.mp4", "vp8.webm", "vp9.webm")}


@dataclass(frozen=True)
class Stream:
    """The packets of a file, and what tells the kind of each of them."""

    codec: str
    extradata: bytes
    packets: list[bytes]

    @classmethod
    def of(cls, path: Path) -> Stream:
        with av.open(str(path)) as container:
            (stream,) = container.streams.video
            coding = stream.codec_context
            packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
            return cls(coding.codec.canonical_name, coding.extradata or b"", packets)

    @property
    def kind_of(self) -> KindOf:
        return packet_kinds(self.codec, self.extradata)

    def refused(self, packets: list[bytes] | None = None, kind: PacketKind = "other") -> list[int]:
        """Which packets are no pictures, told in order; they must all be of this kind."""
        kind_of = self.kind_of
        kinds = [kind_of(packet) for packet in (self.packets if packets is None else packets)]
        assert {*kinds} <= {"picture", kind}
        return [number for number, each in enumerate(kinds) if each != "picture"]


def written(name: str, coding: Coding, folder: Path, frames: int = 40) -> Stream:
    return Stream.of(numbered_video(folder / name, frames, (320, 192), coding))


@pytest.mark.parametrize("name", PLAIN)
def test_what_encoders_write_passes(name: str, tmp_path: Path) -> None:
    stream = written(name, PLAIN[name], tmp_path)
    assert len(stream.packets) == 40
    assert stream.refused() == []


def test_real_videos_pass() -> None:
    for path in shared_media().glob("*.mp4"):
        assert Stream.of(path).refused() == []


@pytest.mark.parametrize("name", KINDS)
def test_what_is_overwritten_does_not(name: str, tmp_path: Path) -> None:
    stream = written(name, KINDS[name], tmp_path)
    for packet in stream.packets[:8]:
        assert stream.refused([b"\xff" * len(packet)], "damaged") == [0]


@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4", "vp8.webm"])
def test_what_is_cut_short_does_not(name: str, tmp_path: Path) -> None:
    stream = written(name, KINDS[name], tmp_path)
    first, second, *_ = stream.packets
    assert stream.refused([first, second[: len(second) // 2]], "damaged") == [1]


@pytest.mark.parametrize("name", KINDS)
def test_any_bytes_get_an_answer(name: str, tmp_path: Path) -> None:
    stream, random = written(name, KINDS[name], tmp_path, 9), Random(7)
    for _ in range(3000):
        packet = bytearray(random.choice(stream.packets))
        for _ in range(random.randint(1, 6)):
            packet[random.randrange(min(64, len(packet)))] = random.randrange(256)
        stream.kind_of(bytes(packet[: random.randint(1, len(packet))]))


@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4"])
def test_two_pictures_in_a_packet(name: str, tmp_path: Path) -> None:
    first, second, third, *_ = written(name, KINDS[name], tmp_path).packets
    stream = written(name, KINDS[name], tmp_path)
    assert stream.refused([first, second + third]) == [1]


@pytest.mark.parametrize("name", ["h264-headers.mp4", "hevc-headers.mp4"])
def test_pictures_change_their_size(name: str, tmp_path: Path) -> None:
    repeated = {"x264-params": "repeat-headers=1", "x265-params": "repeat-headers=1:log-level=none"}
    coding = Coding("libx264" if "h264" in name else "libx265", options=repeated)
    stream = Stream.of(numbered_video(tmp_path / f"large-{name}", 5, (320, 192), coding))
    other = Stream.of(numbered_video(tmp_path / f"small-{name}", 5, (160, 96), coding))
    assert stream.refused([*stream.packets, *stream.packets]) == []
    assert stream.refused([*stream.packets, *other.packets])[:1] == [5]


@pytest.mark.parametrize("name", ["vp8.webm", "vp9.webm"])
def test_key_frames_of_another_size(name: str, tmp_path: Path) -> None:
    stream = Stream.of(numbered_video(tmp_path / f"large-{name}", 5, (320, 192), KINDS[name]))
    other = Stream.of(numbered_video(tmp_path / f"small-{name}", 5, (192, 160), KINDS[name]))
    assert stream.refused([*stream.packets, *stream.packets]) == []
    assert stream.refused([*stream.packets, *other.packets])[:1] == [5]


def test_frames_of_vp9_that_state_a_size(tmp_path: Path) -> None:
    stream = written("v.webm", VP9, tmp_path)
    first, second, *_ = stream.packets
    # Behind the first byte: 2 bits of context, 8 of what is kept, 12 of references, 3 of sizes.
    bits = int.from_bytes(second[1:5])
    assert second[0] & 1 == 0
    stated = (bits & ~(7 << 32 - 25)).to_bytes(4)
    assert stream.refused([first, second[:1] + stated + second[5:]]) == [1]


def test_units_without_a_payload_are_no_harm(tmp_path: Path) -> None:
    stream = written("v.mp4", KINDS["h264.mp4"], tmp_path, 5)
    *packets, last = stream.packets
    assert stream.refused([*packets, last + b"\0\0\0\1\x0a"]) == []


def test_parameters_of_the_header_may_come_later(tmp_path: Path) -> None:
    stream = written("v.mp4", KINDS["h264.mp4"], tmp_path, 5)
    start = stream.extradata[6:8]
    parameters = stream.extradata[8 : 8 + int.from_bytes(start)]
    again = b"\0\0" + start + parameters + stream.packets[0]
    assert stream.refused([*stream.packets, again]) == []
    other = parameters[:-1] + bytes([parameters[-1] ^ 1])
    assert stream.refused([*stream.packets, again.replace(parameters, other)]) == [5]


@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4"])
def test_a_stream_that_begins_in_the_middle(name: str, tmp_path: Path) -> None:
    stream = written(name, KINDS[name], tmp_path)
    assert stream.refused(stream.packets[1:])[0] == 0


def test_leading_pictures_without_what_they_need(tmp_path: Path) -> None:
    stream = written("v.mp4", PLAIN["hevc-open.mp4"], tmp_path)
    entries = [number for number, each in enumerate(stream.packets) if 21 in hevc_types(each)]
    packets = stream.packets[entries[0] :]
    lost = {number for number, each in enumerate(packets) if hevc_types(each) & {8, 9}}
    assert entries
    refused = set(stream.refused(packets))
    assert refused == {number for number in lost if number < entries[1] - entries[0]}
    assert refused


def hevc_types(packet: bytes) -> set[int]:
    return {hevc_type(unit) for unit in by_length(packet, 4)}


def test_hidden_pictures_of_vp8(tmp_path: Path) -> None:
    stream = written("v.webm", VP8, tmp_path)
    first, second, *_ = stream.packets
    assert stream.refused([first, bytes([second[0] & ~16]) + second[1:]]) == [1]


def test_pictures_that_vp9_shows_again(tmp_path: Path) -> None:
    stream = written("v.webm", VP9, tmp_path)
    shown_again, hidden = b"\x88", bytes([stream.packets[1][0] & ~2]) + stream.packets[1][1:]
    superframe = superframe_of(hidden, stream.packets[2])
    packets = [stream.packets[0], superframe, shown_again, hidden, superframe_of(hidden, hidden)]
    assert stream.refused(packets) == [2, 3, 4]


def superframe_of(*frames: bytes) -> bytes:
    """By annex B of the VP9 bitstream specification, with sizes of four bytes."""
    marker = bytes([0b110_11_000 | len(frames) - 1])
    sizes = b"".join(len(frame).to_bytes(4, "little") for frame in frames)
    return b"".join(frames) + marker + sizes + marker


# Units of AV1 as SVT-AV1 writes them, as far as they are looked at: it gives its threads and the
# one that calls it priority over all others, so no test encodes with it.
SEQUENCE, OTHER_SEQUENCE = b"\x0a\x03\x00\x00\x2b", b"\x0a\x03\x00\x00\x2c"
KEY, SHOWN, HIDDEN = (bytes([0x32, 2, first, 0]) for first in (0x10, 0x30, 0x20))
SHOWN_AGAIN = b"\x1a\x01\xe8"


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        (SHOWN, "picture"),
        (b"\x12\x00" + SEQUENCE + KEY, "picture"),
        (HIDDEN + SHOWN, "picture"),
        (SHOWN_AGAIN, "other"),
        (HIDDEN, "other"),
        (SHOWN + HIDDEN, "other"),
        (SHOWN + SHOWN, "other"),
        (HIDDEN + SHOWN_AGAIN, "other"),
        (OTHER_SEQUENCE + KEY, "other"),
        (b"\x12\x00", "damaged"),
        (b"\xff" * 40, "damaged"),
    ],
)
def test_packets_of_av1(packet: bytes, kind: PacketKind) -> None:
    kind_of = packet_kinds("av1", b"")
    assert kind_of(b"\x12\x00" + SEQUENCE + KEY) == "picture"
    assert kind_of(packet) == kind


def test_any_bytes_of_av1_get_an_answer() -> None:
    kind_of, random = packet_kinds("av1", b""), Random(7)
    for _ in range(3000):
        kind_of(random.randbytes(random.randint(1, 40)))
