"""What a file that no demuxer takes looks like, told from its first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

HEAD_BYTES = 512
Family = Literal["video", "audio", "picture", "other"]

# (offset, magic, family, name); the first match wins.
_SIGNATURES: tuple[tuple[int, bytes, Family, str], ...] = (
    (4, b"ftyp", "video", "MP4"),
    (4, b"moov", "video", "QuickTime"),
    (4, b"mdat", "video", "QuickTime"),
    (4, b"wide", "video", "QuickTime"),
    (0, b"\x1a\x45\xdf\xa3", "video", "Matroska or WebM"),
    (8, b"AVI ", "video", "AVI"),
    (0, b"FLV\x01", "video", "FLV"),
    (0, b"OggS", "video", "Ogg"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video", "ASF or WMV"),
    (0, b"\x00\x00\x01\xba", "video", "MPEG program stream"),
    (0, b"\x06\x0e\x2b\x34", "video", "MXF"),
    (0, b"GIF8", "video", "GIF"),
    (0, b"ID3", "audio", "MP3"),
    (0, b"fLaC", "audio", "FLAC"),
    (8, b"WAVE", "audio", "WAV"),
    (0, b"\xff\xfb", "audio", "MP3"),
    (0, b"\xff\xf1", "audio", "AAC"),
    (0, b"\xff\xd8\xff", "picture", "a JPEG picture"),
    (0, b"\x89PNG", "picture", "a PNG picture"),
    (8, b"WEBP", "picture", "a WebP picture"),
    (0, b"PK\x03\x04", "other", "a zip archive"),
    (0, b"\x1f\x8b", "other", "gzip data"),
    (0, b"%PDF", "other", "a PDF document"),
    (0, b"\x7fELF", "other", "a program"),
)
# Texts by how they begin, after white space, in lower case.
_TEXTS = (
    ("#extm3u", "an HLS playlist"),
    ("<mpd", "a DASH manifest"),
    ("ffconcat", "a list of files"),
    ("<!doctype html", "an HTML page"),
    ("<html", "an HTML page"),
    ("<?xml", "an XML document"),
    ("{", "JSON text"),
)


def sniff(path: Path) -> tuple[Family, str]:
    """The family of a file and what it looks like, in a few words.

    Raises:
        OSError: if the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        return "other", "zero bytes"
    for offset, magic, family, name in _SIGNATURES:
        if head.startswith(magic, offset):
            return family, name
    return "other", _text_name(head) or "unknown data"


def _text_name(head: bytes) -> str | None:
    if b"\x00" in head:
        return None
    # A multi-byte character may be cut at the end of the head: ignore that one.
    text = head.decode("utf-8", errors="ignore")
    if len(text.encode()) < len(head) - 3:
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if "<mpd" in start:
        return "a DASH manifest"
    return next((name for begin, name in _TEXTS if start.startswith(begin)), "plain text")
