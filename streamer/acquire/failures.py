"""The one place where foreign errors of a fetch become the service's own, by type and code."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from streamer.errors import JobFailed, JobRejected, StreamerError, Unavailable
from streamer.url_policy import STAGE, one_line

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
_TIMEOUTS = (TimeoutError, urllib3.exceptions.TimeoutError)
# A timeout by inheritance only: its cause tells what it was.
_NO_CONNECTION = urllib3.exceptions.NewConnectionError
# TLS connections that end without a goodbye; the certificate was fine.
_TLS_CUT_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError)

_NOT_HTTP = (http.client.BadStatusLine, http.client.LineTooLong, http.client.UnknownProtocol)


def rejected(kind: str, message: str) -> JobRejected:
    """A rule of this stage refuses the job."""
    return JobRejected(one_line(message), kind=kind, stage=STAGE)


def failed(kind: str, message: str) -> JobFailed:
    """The job was tried and cannot be done."""
    return JobFailed(one_line(message), kind=kind, stage=STAGE)


def unavailable(kind: str, message: str) -> Unavailable:
    """The source does not answer for now."""
    return Unavailable(one_line(message), kind=kind, stage=STAGE)


def too_large(max_bytes: int) -> JobRejected:
    """The source has more than ``max_bytes`` bytes."""
    return rejected(
        "too_large", f"the video is over {max_bytes} bytes; raise acquire.max_bytes to take it"
    )


def status_failure(status: int, host: str) -> StreamerError:
    """What an HTTP ``status`` outside 200 to 299 means for the job."""
    answer = f"{host} answered {status}"
    if status in (404, 410):
        return failed("not_found", f"{answer}: there is nothing at this URL")
    if status in (401, 403):
        return failed("forbidden", f"{answer}: it wants credentials or refuses this client")
    if status == 429 or status >= 500:
        return unavailable("http_unavailable", f"{answer}: overloaded or broken for now")
    return failed("http_error", f"{answer}, which no retry changes; check the URL")


def network_failure(error: BaseException, host: str) -> StreamerError | None:
    """What the first telling error beneath ``error`` means; None if none of them is known."""
    for each in chain(error):
        if found := _known(each, host):
            return found
    return None


def chain(error: BaseException) -> Iterator[BaseException]:
    """``error`` and all errors beneath it: causes, contexts, wrapped arguments; each once."""
    queue, seen = [error], set[int]()
    while queue:
        each = queue.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = [each.__cause__, each.__context__, *each.args]
        # yt-dlp and urllib3 keep the error they wrap in these attributes.
        inner += [getattr(each, name, None) for name in ("cause", "reason", "original_error")]
        inner += list(getattr(each, "exc_info", None) or ())
        queue += [one for one in inner if isinstance(one, BaseException)]


def _known(error: BaseException, host: str) -> StreamerError | None:
    if isinstance(error, (socket.gaierror, urllib3.exceptions.NameResolutionError)):
        return unavailable("dns_failure", f"the name {host} does not resolve; check its spelling")
    if isinstance(error, ssl.SSLError) and not isinstance(error, _TLS_CUT_OFF):
        return failed("tls_error", f"no secure connection to {host}; check its certificate")
    if isinstance(error, ConnectionRefusedError):
        return unavailable("connection_refused", f"{host} refuses connections on this port")
    if isinstance(error, _TIMEOUTS) and not isinstance(error, _NO_CONNECTION):
        return unavailable("timeout", f"{host} did not answer in time")
    if isinstance(error, (requests.exceptions.InvalidURL, UnicodeError)):
        return rejected("bad_url", "the host of the URL is not a valid name")
    if isinstance(
        error, (urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError)
    ):
        return failed("bad_encoding", f"{host} sent a body that its Content-Encoding does not fit")
    if isinstance(error, _NOT_HTTP) and not isinstance(error, http.client.RemoteDisconnected):
        return failed("http_error", f"{host} answers with something that is not HTTP")
    if isinstance(error, (http.client.HTTPException, ConnectionError, *_TLS_CUT_OFF)):
        return unavailable("connection_reset", f"{host} broke the connection off half way")
    return _known_os_error(error, host)


def _known_os_error(error: BaseException, host: str) -> StreamerError | None:
    code = error.errno if isinstance(error, OSError) else None
    if code in _DISK_FULL:
        return unavailable("disk_full", "the disk of acquire.temp_dir is full; free some space")
    if code == errno.EFBIG:
        return rejected("too_large", "the video is over the file size limit of this process")
    if code in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return unavailable("unreachable", f"there is no route to {host}")
    return None
