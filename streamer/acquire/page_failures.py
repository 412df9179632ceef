"""What the errors of yt-dlp mean for a job, by type and code."""

from __future__ import annotations

from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
    UserNotLive,
)

from streamer.acquire.failures import (
    chain,
    failed,
    network_failure,
    rejected,
    status_failure,
    unavailable,
)
from streamer.errors import StreamerError

_CUT_OFF = (TransportError, ContentTooShortError)


def no_video() -> StreamerError:
    """The page was read, and holds nothing to play."""
    return rejected("not_a_video", "the page has no video that yt-dlp can find")


def page_failure(error: Exception, network: Exception | None, host: str) -> StreamerError:
    """What ``error`` of yt-dlp means, or else the ``network`` error that came before it."""
    for each in filter(None, (error, network)):
        if known := _known_to_yt_dlp(each, host) or network_failure(each, host):
            return known
    return _other_failure(error, network, host)


def _known_to_yt_dlp(error: Exception, host: str) -> StreamerError | None:
    for each in chain(error):
        if isinstance(each, StreamerError):
            return each
        if isinstance(each, HTTPError):
            return status_failure(each.status, host)
        if isinstance(each, GeoRestrictedError):
            return failed("geo_restricted", "the video is not available in this region")
        if isinstance(each, UserNotLive):
            return rejected("live_stream", "the page is a channel that is not live now")
        if isinstance(each, UnsupportedError):
            return _unsupported(each)
    return None


def _unsupported(error: UnsupportedError) -> StreamerError:
    # The generic extractor gives up on what it has read; others give up on the URL.
    if error.ie in (None, "generic"):
        return no_video()
    return rejected("unsupported_url", f"yt-dlp cannot read this URL of {error.ie}")


def _other_failure(error: Exception, network: Exception | None, host: str) -> StreamerError:
    causes = list(chain(error))
    if isinstance(network, TransportError) or any(isinstance(x, _CUT_OFF) for x in causes):
        return unavailable("connection_reset", f"{host} broke the connection off half way")
    for each in causes:
        if isinstance(each, ExtractorError):
            return failed("extractor_error", f"{host}: {each.orig_msg}")
    return failed("extractor_error", f"{host}: yt-dlp stopped with {type(error).__name__}")
