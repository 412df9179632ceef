"""Files that may not be read, and files that a decoder should not be trusted with."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.e2e.films import cut_off
from tests.hostile import containers
from tests.hostile.answers import NO_VIDEO
from tests.hostile.place import Case, Place
from tests.media import numbered_picture, numbered_video, write_sound

_OUTSIDE = "rejected acquire path_refused"
_NO_FILE = "rejected acquire not_a_file"
_NOT_FOUND = "failed acquire not_found"
_BAD_URL = "rejected acquire bad_url"
_NO_STREAM = "rejected decode no_video_stream"
_TRUNCATED = "failed decode truncated"
_UNDECODABLE = "failed decode undecodable"
_TOO_COMPLEX = "rejected decode too_complex"
_TOO_MANY_PIXELS = "rejected decode too_many_pixels"


def _link(place: Place) -> Path:
    link = place.root / "link.mp4"
    link.symlink_to(place.secret)
    return link


def _linked_folder(place: Place) -> Path:
    link = place.root / "folder"
    link.symlink_to(place.secret.parent)
    return link / place.secret.name


def _fifo(place: Place) -> Path:
    os.mkfifo(place.root / "fifo.mp4")
    return place.root / "fifo.mp4"


def _socket(place: Place) -> Path:
    path = place.root / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    return path


def _file(make: Callable[[Path], Path], ends: str, name: str = "input.mp4") -> Case:
    return Case(lambda place: make(place.root / name), ends)


def _text(content: str | Callable[[Place], str]) -> Case:
    """A file of text that FFmpeg would follow to other files and hosts."""

    def make(place: Place) -> Path:
        path = place.root / "input.mp4"
        path.write_text(content if isinstance(content, str) else content(place), encoding="utf-8")
        return path

    return Case(make, NO_VIDEO)


def _empty(path: Path) -> Path:
    path.touch()
    return path


def _cut(path: Path) -> Path:
    return cut_off(containers.small_video(path.with_stem("whole"), 200), path, 0.5)


def _served(place: Place) -> str:
    whole = containers.small_video(place.root / "whole.mp4", 200)
    return place.web.serve("/cut.mp4", cut_off(whole, place.root / "cut.mp4", 0.5))


CASES = {
    "file outside the roots": Case(lambda _: "/etc/passwd", _OUTSIDE),
    "file URL outside the roots": Case(lambda _: "file:///etc/passwd", _OUTSIDE),
    "file scheme in capitals": Case(lambda _: "FILE:///etc/passwd", _OUTSIDE),
    "file of this process": Case(lambda _: "/proc/self/environ", _OUTSIDE),
    "file by two slashes": Case(lambda _: "//127.0.0.1/share/a.mp4", _OUTSIDE),
    "file above the root": Case(lambda place: f"{place.root}/../{place.secret.name}", _OUTSIDE),
    "file above the root, percent-encoded": Case(
        lambda place: f"file://{place.root}/%2e%2e/{place.secret.name}", _OUTSIDE
    ),
    "link out of the root": Case(_link, _OUTSIDE),
    "file below a link out of the root": Case(_linked_folder, _OUTSIDE),
    "file on another host": Case(lambda _: "file://fileserver/a.mp4", _BAD_URL),
    "file URL with a NUL": Case(lambda place: f"file://{place.root}/a%00.mp4", _BAD_URL),
    "folder": Case(lambda place: place.root, _NO_FILE),
    "pipe": Case(_fifo, _NO_FILE),
    "socket": Case(_socket, _NO_FILE),
    "device": Case(lambda _: "/dev/zero", _NO_FILE, {"acquire": {"allowed_roots": [Path("/dev")]}}),
    "no such file": Case(lambda place: place.root / "none.mp4", _NOT_FOUND),
    "name of 4,000 letters": Case(lambda place: place.root / ("x" * 4000), _NOT_FOUND),
    "file over the limit": Case(
        lambda place: containers.small_video(place.root / "a.mp4"),
        "rejected acquire too_large",
        {"acquire": {"max_bytes": 1000}},
    ),
    "text: HLS playlist": _text(lambda place: f"#EXTM3U\n#EXTINF:1,\n{place.trapped()}\n"),
    "text: concat list": _text(lambda place: f"ffconcat version 1.0\nfile {place.secret}\n"),
    "text: session description": _text(
        lambda place: f"v=0\nc=IN IP4 127.0.0.1\nm=video {place.trap.port} RTP/AVP 96\n"
    ),
    "text: DASH manifest": _text(
        lambda place: f'<?xml version="1.0"?><MPD><BaseURL>{place.trapped()}</BaseURL></MPD>'
    ),
    "text: plain": _text("hello\n" * 100),
    "media: empty": _file(_empty, NO_VIDEO),
    "media: noise": _file(containers.noise, "rejected decode not_a_video"),
    "media: noise behind an MP4's head": _file(containers.noise_as_mp4, _TRUNCATED),
    "media: truncated": _file(_cut, _TRUNCATED),
    "media: truncated, over HTTP": Case(_served, _TRUNCATED),
    "media: picture": _file(containers.picture, "rejected decode not_a_video"),
    "media: one frame": _file(lambda path: numbered_video(path, 1), "rejected decode single_frame"),
    "media: sound only": _file(write_sound, _NO_STREAM),
    "media: sound with cover art": _file(
        lambda path: write_sound(path, cover=numbered_picture(3, 64, 64)), _NO_STREAM
    ),
    "media: no packets": _file(containers.no_frames, _NO_STREAM),
    "media: no packets in Matroska": _file(containers.no_frames, _TRUNCATED, "input.mkv"),
    "media: pictures of noise": _file(containers.noisy_pictures, _UNDECODABLE),
    "media: unknown codec": _file(containers.unknown_codec, "failed decode unsupported_codec"),
    "media: 10,000 streams": _file(
        lambda path: containers.many_streams(path, 10_000), _TOO_COMPLEX
    ),
    "media: a table of 4,000,000,000 entries": _file(containers.endless_table, _TOO_COMPLEX),
    "media: a million boxes deep": _file(
        lambda path: containers.nested_boxes(path, 1_000_000), _TRUNCATED
    ),
    "media: 30,000x30,000 in the header": _file(
        containers.vast_header, _TOO_MANY_PIXELS, "input.avi"
    ),
    "media: 30,000x30,000 GIF": _file(
        lambda path: containers.vast_gif(path, 30_000), _TOO_MANY_PIXELS
    ),
    "media: 9,000x9,000 GIF": _file(
        lambda path: containers.vast_gif(path, 9_000), _TOO_MANY_PIXELS
    ),
    "media: 30,000x30,000 in the pictures alone": _file(
        containers.vast_jpegs, _UNDECODABLE, "input.avi"
    ),
    "media: a clock that jumps 20 hours": _file(
        containers.late_frames, "rejected decode too_long", "input.ts"
    ),
    "media: a stream that nothing announced": _file(containers.late_stream, "done", "input.ts"),
    "media: 2,000 tags of a kilobyte": _file(
        lambda path: containers.many_tags(path, 2000), "done", "input.mkv"
    ),
    "media: a name like an option": _file(containers.small_video, "done", "-i.mp4"),
    "media: a name like a protocol": _file(containers.small_video, "done", "concat:a|b.mp4"),
}
