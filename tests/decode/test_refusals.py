"""What is not a video within the limits is refused, with the right kind and a cure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import pytest

from streamer.config import DecodeSettings
from streamer.decode import FrameBatch, open_video
from streamer.errors import JobError, JobFailed, JobRejected
from tests.decode.reading import SETTINGS, Decoded
from tests.media import Coding, numbered_picture, numbered_video, write_sound, write_video


def _refusal(path: Path, settings: DecodeSettings = SETTINGS) -> JobError:
    with pytest.raises(JobError) as caught:
        Decoded(path, settings)
    assert caught.value.stage == "decode"
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"", "zero bytes"),
        (b"PK\x03\x04" + bytes(500), "zip archive"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML"),
        (b'{"error": "gone"}', "JSON"),
        (b"hello world " * 500, "plain text"),
        (b"%PDF-1.7\n" + bytes(500), "PDF"),
        (bytes(range(256)) * 50, "not a video"),
    ],
)
def test_not_a_video(content: bytes, looks: str, tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    error = _refusal(path)
    assert isinstance(error, JobRejected)
    assert error.kind == "not_a_video"
    assert looks in error.message


@pytest.mark.parametrize(
    "write",
    [
        lambda target: f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n",
        lambda target: f"ffconcat version 1.0\nfile '{target}'\n",
        lambda target: f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\ni={target}\n",
        lambda target: (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
            f'mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4">'
            f'<Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL></Representation>'
            "</AdaptationSet></Period></MPD>"
        ),
    ],
    ids=["hls", "concat", "sdp", "dash"],
)
@pytest.mark.parametrize("name", ["video.mp4", "video.m3u8", "video.mpd"])
def test_a_file_cannot_name_other_files(
    write: Callable[[Path], str], name: str, tmp_path: Path
) -> None:
    target = numbered_video(tmp_path / "target.ts", 50)
    path = tmp_path / name
    path.write_text(write(target))
    assert _refusal(path).kind == "not_a_video"


def test_a_name_cannot_be_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbered_video(tmp_path / "target.mp4", 50)
    monkeypatch.chdir(tmp_path)
    assert _refusal(Path("concat:target.mp4")).kind == "unreadable"


def test_pictures_are_no_videos(tmp_path: Path) -> None:
    jpeg = tmp_path / "a.jpg"
    cv2.imwrite(str(jpeg), numbered_picture(1, 64, 64))
    assert _refusal(jpeg).kind == "not_a_video"
    single = _refusal(numbered_video(tmp_path / "single.mp4", 1))
    assert isinstance(single, JobRejected)
    assert single.kind == "single_frame"


def test_sound_only(tmp_path: Path) -> None:
    assert _refusal(write_sound(tmp_path / "a.m4a")).kind == "no_video_stream"


def test_cover_art_is_not_the_video(tmp_path: Path) -> None:
    error = _refusal(write_sound(tmp_path / "a.mp4", cover=numbered_picture(3, 64, 64)))
    assert error.kind == "no_video_stream"
    assert "cover art" in error.message


@pytest.mark.parametrize("name", ["a.mp3", "a.wav", "a.flac"])
def test_sound_files_by_their_looks(name: str, tmp_path: Path) -> None:
    heads = {"a.mp3": b"ID3\x04", "a.wav": b"RIFF\x00\x00\x00\x00WAVEfmt ", "a.flac": b"fLaC"}
    path = tmp_path / name
    path.write_bytes(heads[name] + bytes(4000))
    assert _refusal(path).kind == "no_video_stream"


def test_header_cut_off(tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "v.mp4", 200).read_bytes()
    assert whole.find(b"moov") > len(whole) // 2
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    error = _refusal(cut)
    assert isinstance(error, JobFailed)
    assert error.kind == "truncated"


def test_unknown_codec(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 20)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    error = _refusal(path)
    assert isinstance(error, JobFailed)
    assert error.kind == "unsupported_codec"


def test_nothing_decodable(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 50)
    data = bytearray(path.read_bytes())
    start, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)
    error = _refusal(path)
    assert isinstance(error, JobFailed)
    assert error.kind == "undecodable"


def test_missing_file(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "gone.mp4").kind == "unreadable"


def test_too_many_pixels_in_the_header(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 5, (160, 96))
    with pytest.raises(JobRejected) as caught:
        open_video(path, DecodeSettings(max_pixels=160 * 96 - 1))
    assert caught.value.kind == "too_many_pixels"
    assert len(Decoded(path, DecodeSettings(max_pixels=160 * 96)).small) == 5


def test_too_many_pixels_in_mid_stream(tmp_path: Path) -> None:
    first = numbered_video(tmp_path / "a.h264", 20, (160, 96), Coding(b_frames=0))
    second = numbered_video(tmp_path / "b.h264", 20, (320, 192), Coding(b_frames=0))
    joined = tmp_path / "joined.h264"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    assert _refusal(joined, DecodeSettings(max_pixels=160 * 96)).kind == "too_many_pixels"


def test_too_long_by_the_header(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.mp4", 50)
    with pytest.raises(JobRejected) as caught:
        open_video(path, DecodeSettings(max_seconds=1.9))
    assert caught.value.kind == "too_long"
    assert len(Decoded(path, DecodeSettings(max_seconds=2.0)).small) == 50


def test_too_long_on_the_way(tmp_path: Path) -> None:
    path = numbered_video(tmp_path / "v.ts", 100)  # no length in the header
    seen: list[FrameBatch] = []
    with open_video(path, DecodeSettings(max_seconds=2.0, threads=1)) as video:
        with pytest.raises(JobRejected) as caught:
            seen.extend(video.batches())
        assert caught.value.kind == "too_long"
    assert sum(map(len, seen)) <= 51


def test_the_default_stream_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(3)]
        for stream, size in zip(streams, ((64, 48), (160, 96), (96, 64)), strict=True):
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
        for index in range(20):
            for stream in streams:
                picture = numbered_picture(index, stream.width, stream.height)
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    video = Decoded(path)
    assert video.numbers == list(range(20))
    assert (video.info.width, video.info.height) in {(64, 48), (160, 96)}


def test_metadata_that_is_no_text(tmp_path: Path) -> None:
    pictures = [numbered_picture(i, 64, 48) for i in range(5)]
    path = write_video(tmp_path / "v.avi", pictures, Coding("mpeg4"))
    path.write_bytes(path.read_bytes().replace(b"Lavf", b"\xff\xfe\xff\xfe"))
    assert Decoded(path).numbers == list(range(5))
