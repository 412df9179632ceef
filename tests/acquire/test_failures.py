"""Every foreign error that a fetch can meet has its kind, also deep inside other errors."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl

import pytest
import requests
import urllib3.exceptions
from yt_dlp.networking.exceptions import IncompleteRead, RequestError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
    UserNotLive,
)

from streamer.acquire.failures import network_failure, status_failure
from streamer.acquire.page_failures import page_failure
from streamer.errors import JobFailed, JobRejected, StreamerError, Unavailable

NETWORK: list[tuple[Exception, type[StreamerError], str]] = [
    (socket.gaierror(-2, "?"), Unavailable, "dns_failure"),
    (ConnectionRefusedError(), Unavailable, "connection_refused"),
    (TimeoutError(), Unavailable, "timeout"),
    (urllib3.exceptions.ReadTimeoutError(None, None, "?"), Unavailable, "timeout"),  # type: ignore[arg-type]
    (ConnectionResetError(), Unavailable, "connection_reset"),
    (BrokenPipeError(), Unavailable, "connection_reset"),
    (http.client.IncompleteRead(b""), Unavailable, "connection_reset"),
    (http.client.RemoteDisconnected(""), Unavailable, "connection_reset"),
    (ssl.SSLEOFError(), Unavailable, "connection_reset"),
    (ssl.SSLZeroReturnError(), Unavailable, "connection_reset"),
    (ssl.SSLCertVerificationError(), JobFailed, "tls_error"),
    (urllib3.exceptions.DecodeError(), JobFailed, "bad_encoding"),
    (requests.exceptions.InvalidURL(), JobRejected, "bad_url"),
    (OSError(errno.ENOSPC, "?"), Unavailable, "disk_full"),
    (OSError(errno.EDQUOT, "?"), Unavailable, "disk_full"),
    (OSError(errno.EFBIG, "?"), JobRejected, "too_large"),
    (OSError(errno.EHOSTUNREACH, "?"), Unavailable, "unreachable"),
]


@pytest.mark.parametrize(("error", "outcome", "kind"), NETWORK, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("depth", ["bare", "wrapped", "yt-dlp"])
def test_network_errors(
    error: Exception, outcome: type[StreamerError], kind: str, depth: str
) -> None:
    if depth == "wrapped":
        error = requests.ConnectionError(urllib3.exceptions.ProtocolError("?", error))
    if depth == "yt-dlp":
        inner = ExtractorError("?", cause=TransportError(cause=error))
        error = DownloadError("?", (type(inner), inner, None))
    for failure in (network_failure(error, "host"), page_failure(error, None, "host")):
        assert failure is not None
        assert (type(failure), failure.kind) == (outcome, kind)


def test_an_unknown_error_is_left_to_the_caller() -> None:
    assert network_failure(OSError(errno.EIO, "?"), "host") is None


PAGE: list[tuple[Exception, type[StreamerError], str]] = [
    (GeoRestrictedError("?"), JobFailed, "geo_restricted"),
    (UserNotLive(), JobRejected, "live_stream"),
    (UnsupportedError("https://host/"), JobRejected, "not_a_video"),
    (IncompleteRead(1, 2), Unavailable, "connection_reset"),
    (ContentTooShortError(1, 2), Unavailable, "connection_reset"),
    (ExtractorError("This video was removed", expected=True), JobFailed, "extractor_error"),
    (RequestError("file: is disabled"), JobFailed, "extractor_error"),
    (AttributeError("a scraper broke"), JobFailed, "extractor_error"),
]


@pytest.mark.parametrize(("error", "outcome", "kind"), PAGE, ids=lambda value: str(value)[:40])
def test_errors_of_yt_dlp(error: Exception, outcome: type[StreamerError], kind: str) -> None:
    wrapped = DownloadError("?", (type(error), error, None))
    for each in (error, wrapped):
        failure = page_failure(each, None, "host")
        assert (type(failure), failure.kind) == (outcome, kind)


def test_a_site_that_knows_the_url_is_none_of_its_videos() -> None:
    error = UnsupportedError("https://host/")
    error.ie = "somesite"
    assert page_failure(error, None, "host").kind == "unsupported_url"


def test_what_a_site_says_is_kept_but_cleaned() -> None:
    said = "Gone\n\x1b[31m since May; see https://user:s3cret@host/why?token=1 " + "x" * 500
    message = page_failure(ExtractorError(said, expected=True), None, "host").message
    assert message.startswith("host: Gone [31m since May; see https://***@host/why?…")
    assert message.isprintable()
    assert len(message) <= 300


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (304, "http_error"),
        (400, "http_error"),
        (401, "forbidden"),
        (403, "forbidden"),
        (404, "not_found"),
        (410, "not_found"),
        (429, "http_unavailable"),
        (451, "http_error"),
        (500, "http_unavailable"),
        (504, "http_unavailable"),
    ],
)
def test_statuses(status: int, kind: str) -> None:
    assert status_failure(status, "host").kind == kind
