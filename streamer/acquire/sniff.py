"""Tells pages, playlists and manifests from video files by their first bytes."""

from __future__ import annotations

from pathlib import Path

from streamer.acquire.failures import rejected

HEAD_BYTES = 4096

_PAGE_STARTS = (b"#extm3u", b"<!doctype", b"<html", b"<head", b"<body", b"<mpd", b"<?xml", b"<smil")
# Text that FFmpeg plays by opening what it names: other files, other hosts. It finds the last two
# anywhere in a text.
_REFERENCE_STARTS = (*_PAGE_STARTS, b"ffconcat", b"v=0", b"[playlist]", b"#!extm3u", b"<asx")
_REFERENCE_MARKS = (b"<mpd", b"c=in ip")
_TEXT_HEADED_VIDEO = b"YUV4MPEG2"
_PAGE_TYPES = {
    "text/html",
    "application/xhtml+xml",
    "application/dash+xml",
    "application/vnd.apple.mpegurl",
    "application/x-mpegurl",
    "audio/mpegurl",
    "audio/x-mpegurl",
}


def is_page(head: bytes, content_type: str) -> bool:
    """Whether a body that starts with ``head`` is for yt-dlp to read: HTML, or an HLS or DASH list.

    Servers mislabel both ways, so the bytes go first: text that says what it is, then NUL bytes,
    which every video container has near its start and no page has.
    """
    if _start(head).startswith(_PAGE_STARTS):
        return True
    if b"\0" in head[:512]:
        return False
    return content_type.partition(";")[0].strip().lower() in _PAGE_TYPES


def refuse_references(path: Path) -> None:
    """Refuse text, and files that name other media: a decoder would fetch those unchecked.

    Raises:
        JobRejected: ``not_a_video``.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise rejected("not_a_video", "the file is empty")
    text, nul, _ = head.partition(b"\0")
    refers = any(mark in text.lower() for mark in _REFERENCE_MARKS)
    if refers or _start(head).startswith(_REFERENCE_STARTS):
        raise rejected("not_a_video", "the file is a page or playlist; send the video itself")
    if not nul and not head.startswith(_TEXT_HEADED_VIDEO):
        raise rejected("not_a_video", "the file is text, not a video")


def _start(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
