"""HTTP downloads: streamed to disk, bounded in bytes, time and redirects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from streamer.acquire.disk import require_free_disk
from streamer.acquire.failures import failed, network_failure, rejected, status_failure, too_large
from streamer.acquire.sniff import HEAD_BYTES, is_page
from streamer.config import AcquireSettings
from streamer.url_policy import check_web_url, host_of

MAX_REDIRECTS = 10
_CHUNK_BYTES = 1 << 18
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; streamer)",
    "Accept": "*/*",
    # Video does not shrink; an encoding sent all the same is decoded, and the decoded bytes count.
    "Accept-Encoding": "identity",
}


def download(url: str, target: Path, settings: AcquireSettings) -> bool:
    """Write what ``url`` holds to ``target``; False if it is a page or manifest, for yt-dlp.

    Raises:
        JobRejected: ``too_large``, ``bad_url``, ``unsupported_scheme``, ``address_refused``,
            ``not_a_video`` (empty).
        JobFailed: ``not_found``, ``forbidden``, ``http_error``, ``tls_error``,
            ``too_many_redirects``, ``bad_encoding``.
        Unavailable: ``http_unavailable``, ``dns_failure``, ``connection_refused``, ``timeout``,
            ``connection_reset``, ``unreachable``, ``disk_full``, ``disk_low``.
    """
    with (
        _errors_named_for(url),
        _session() as session,
        closing(_follow(session, url, settings)) as response,
    ):
        if _is_blocked_page(response):
            return False
        _require_success(response)
        return _save(response, target, settings)


def _session() -> requests.Session:
    session = requests.Session()
    # No proxies or .netrc from the environment: a proxy would connect where the guard cannot see.
    session.trust_env = False
    session.hooks["response"].append(drop_redirect_body)
    session.headers = requests.structures.CaseInsensitiveDict(_HEADERS)
    return session


def drop_redirect_body(response: requests.Response, **_: Any) -> None:
    """A hook for ``requests``, which reads bodies of redirects into memory, however long they are.

    It does so even when told not to follow them.
    """
    if response.is_redirect:
        response.close()
        response._content = b""


@contextmanager
def _errors_named_for(url: str) -> Iterator[None]:
    try:
        yield
    except (requests.RequestException, OSError, ValueError) as error:
        # After a redirect, the request that failed went elsewhere.
        host = host_of(getattr(getattr(error, "request", None), "url", None) or url)
        known = network_failure(error, host)
        raise known or failed("http_error", f"{host}: {type(error).__name__}") from error


def _follow(session: requests.Session, url: str, settings: AcquireSettings) -> requests.Response:
    """The first answer that is not a redirect; each address on the way is checked."""
    timeouts = (settings.connect_timeout_seconds, settings.read_timeout_seconds)
    for _ in range(MAX_REDIRECTS + 1):
        check_web_url(url, settings)
        response = session.get(url, timeout=timeouts, stream=True, allow_redirects=False)
        location = session.get_redirect_target(response)
        if location is None:
            return response
        response.close()
        url = _redirected(session, url, location)
    raise failed("too_many_redirects", f"the URL redirects more than {MAX_REDIRECTS} times")


def _redirected(session: requests.Session, url: str, location: str) -> str:
    """Where ``location`` leads; credentials of ``url`` go along only to the same place."""
    # Quoted as browsers do: servers send spaces.
    target = requests.utils.requote_uri(urljoin(url, location))
    user, at, _ = urlsplit(url).netloc.rpartition("@")
    parts = urlsplit(target)
    strip = session.should_strip_auth(url, target)  # type: ignore[no-untyped-call]
    if at and "@" not in parts.netloc and not strip:
        return parts._replace(netloc=f"{user}@{parts.netloc}").geturl()
    return target


def _is_blocked_page(response: requests.Response) -> bool:
    """A video site that turns plain clients away; yt-dlp knows how to ask it."""
    if response.status_code not in (401, 403, 429):
        return False
    if not is_page(b"", response.headers.get("Content-Type", "")):
        return False
    from streamer.acquire.page import has_extractor  # Imports yt-dlp: not for every download.

    return has_extractor(response.url)


def _require_success(response: requests.Response) -> None:
    if not 200 <= response.status_code < 300:
        raise status_failure(response.status_code, host_of(response.url))


def _save(response: requests.Response, target: Path, settings: AcquireSettings) -> bool:
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > settings.max_bytes:
        raise too_large(settings.max_bytes)
    chunks = response.iter_content(_CHUNK_BYTES)
    head = next(chunks, b"")
    if not head:
        raise rejected("not_a_video", "the answer is empty")
    if is_page(head[:HEAD_BYTES], response.headers.get("Content-Type", "")):
        return False
    write_bounded(_chain(head, chunks, settings), target, settings.max_bytes)
    return True


def _chain(head: bytes, rest: Iterator[bytes], settings: AcquireSettings) -> Iterator[bytes]:
    yield head
    for chunk in rest:
        require_free_disk(settings)
        yield chunk


def write_bounded(chunks: Iterator[bytes], target: Path, max_bytes: int) -> int:
    """Write ``chunks`` to ``target``; returns the bytes written.

    Raises:
        JobRejected: ``too_large``, before the chunk that crosses ``max_bytes`` is written.
        OSError: the disk does not take them.
    """
    written = 0
    with target.open("wb") as file:
        for chunk in chunks:
            written += len(chunk)
            if written > max_bytes:
                raise too_large(max_bytes)
            file.write(chunk)
    return written
