"""Video pages and HLS/DASH manifests: yt-dlp as a library, held to the limits of the stage."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yt_dlp.extractor import gen_extractor_classes

from streamer.acquire.bounded_ydl import BoundedYoutubeDL
from streamer.acquire.failures import failed, rejected
from streamer.acquire.guard import ConnectionGuard
from streamer.acquire.page_failures import no_video, page_failure
from streamer.acquire.processor_time import bounded_processor_time
from streamer.config import AcquireSettings
from streamer.errors import StreamerError
from streamer.url_policy import host_of, one_line

_log = logging.getLogger(__name__)

# One file with pictures, fetched by yt-dlp itself: other protocols need external programs. The
# best up to 1080 lines (the next larger where there is none), H.264 first: it decodes everywhere.
_FORMAT = "bv*[protocol~='^(https?|m3u8|m3u8_native|http_dash_segments)$']"
_FORMAT_SORT = ["res:1080", "vcodec:h264"]
_RETRIES = 2
_LONGEST_WORDS = 10_000
_JOINERS = "\u200c\u200d"
_NOT_PUBLIC = {"private", "premium_only", "subscriber_only", "needs_auth"}
_LIVE = {"is_live", "is_upcoming", "post_live"}


@dataclass(frozen=True)
class PageVideo:
    """The file of a page's video, and what the page says about it."""

    path: Path
    title: str | None
    description: str | None


def has_extractor(url: str) -> bool:
    """Whether yt-dlp knows the site of ``url`` by name."""
    return any(
        extractor.suitable(url) and extractor.IE_NAME != "generic"
        for extractor in gen_extractor_classes()
    )


def download_video(
    url: str, directory: Path, settings: AcquireSettings, guard: ConnectionGuard
) -> PageVideo:
    """Find the one video of a page and fetch it into ``directory``.

    Raises:
        JobRejected: ``not_a_video``, ``playlist``, ``live_stream``, ``no_video_stream``,
            ``unsupported_url``, ``unsupported_stream``, ``unsupported_scheme``, ``too_large``,
            ``page_too_complex``, ``address_refused``.
        JobFailed: ``private``, ``geo_restricted``, ``drm``, ``extractor_error``, and those of HTTP.
        Unavailable: as for HTTP.
    """
    ydl = BoundedYoutubeDL(_options(directory, settings), settings, guard)
    with _errors_named_for(url, ydl), ydl:
        with _page_bounded(settings.page_cpu_seconds, guard):
            info = _single(ydl, ydl.extract_info(url, download=False))
        _require_one_video(info)
        ydl.process_info(info)
    path = info.get("filepath")
    if not path or not Path(path).is_file():
        # yt-dlp reports success when a filter of its own leaves a download out.
        raise failed("extractor_error", f"yt-dlp fetched no file from {host_of(url)}")
    title, description = plain_words(info.get("title")), plain_words(info.get("description"))
    return PageVideo(Path(path), title, description)


def plain_words(value: object) -> str | None:
    """What a page says, for captioners to read: text without control characters, and not a book."""
    if not isinstance(value, str):
        return None
    return "".join(map(_plain, value[:_LONGEST_WORDS])).strip() or None


def _plain(character: str) -> str:
    # Joiners are part of words in some scripts; surrogates cannot even be encoded.
    if unicodedata.category(character)[0] != "C" or character in _JOINERS:
        return character
    return "\n" if character == "\n" else " "


@contextmanager
def _page_bounded(seconds: float, guard: ConnectionGuard) -> Iterator[None]:
    """A page can be written so that the expressions that search it take hours."""
    overdue = rejected(
        "page_too_complex",
        f"reading the page took over {seconds:g} s of processor time "
        "(acquire.page_cpu_seconds); send the video's own URL",
    )
    with bounded_processor_time(seconds, lambda: guard.fail(overdue)):
        yield


def _options(directory: Path, settings: AcquireSettings) -> dict[str, Any]:
    retries = {"retries": _RETRIES, "fragment_retries": _RETRIES, "extractor_retries": 1}
    isolation = {
        "cachedir": False,
        "proxy": "",  # None, not even the environment's: the guard would see only the proxy.
        "geo_bypass": False,
        # Does not exist, so that yt-dlp finds no ffmpeg, which would open connections itself.
        "ffmpeg_location": str(directory / "no-ffmpeg"),
        "hls_prefer_native": True,
        "fixup": "never",
    }
    choice = {
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "playlistend": 2,
        "format": _FORMAT,
        "format_sort": _FORMAT_SORT,
        "ignore_no_formats_error": True,  # Judged here, where the reason is known.
        "skip_unavailable_fragments": False,
    }
    output = {
        "paths": {"home": str(directory)},
        "outtmpl": "page.%(ext)s",
        "updatetime": False,
        "quiet": True,
        "noprogress": True,
        "logger": _Logger(),
        "color": "no_color",
    }
    pause = {"retry_sleep_functions": dict.fromkeys(("http", "fragment"), _pause_seconds)}
    timeout = {"socket_timeout": settings.read_timeout_seconds}
    return retries | isolation | choice | output | pause | timeout


def _pause_seconds(n: int) -> float:
    return float(0.1 * 2**n)


class _Logger:
    """Takes what yt-dlp would print. It may hold URLs, so it is cleaned and for debugging only."""

    def debug(self, message: str) -> None:
        _log.debug("yt-dlp: %s", one_line(message))

    info = warning = error = debug


def _single(ydl: BoundedYoutubeDL, info: dict[str, Any] | None) -> dict[str, Any]:
    """The video itself, also when it is the only entry of a playlist."""
    if info is None:
        raise no_video()
    if info.get("_type", "video") == "video":
        return info
    entries = list(info.get("entries") or ())
    if not entries:
        raise no_video()
    if len(entries) > 1:
        raise rejected("playlist", "the page is a playlist of several videos; submit its entries")
    return _single(ydl, ydl.process_ie_result(entries[0], download=False))


def _require_one_video(info: dict[str, Any]) -> None:
    if info.get("is_live") or info.get("live_status") in _LIVE:
        raise rejected("live_stream", "the page is a live stream; submit its recording")
    formats = info.get("formats") or ([info] if info.get("url") else [])
    if not formats:
        raise _missing_formats(info)
    if all(one.get("vcodec") == "none" for one in formats):
        raise rejected("no_video_stream", "the page has sound or pictures only, no video")
    if not info.get("url") or not info.get("format_id"):
        raise rejected("unsupported_stream", "the video comes only over protocols not taken here")


def _missing_formats(info: dict[str, Any]) -> StreamerError:
    if info.get("_has_drm"):
        return failed("drm", "the video is protected by DRM")
    if info.get("availability") in _NOT_PUBLIC:
        return failed("private", "the video is private or needs a login")
    return no_video()


@contextmanager
def _errors_named_for(url: str, ydl: BoundedYoutubeDL) -> Iterator[None]:
    try:
        yield
    except (StreamerError, MemoryError):
        raise
    except Exception as error:
        # Extractors are 1,800 scrapers; a page may break one in any way, and costs its job alone.
        raise page_failure(error, ydl.last_error, host_of(url)) from error
