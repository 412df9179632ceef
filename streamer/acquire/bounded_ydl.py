"""A yt-dlp that connects through Python's sockets only, and counts every byte it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import yt_dlp
import yt_dlp.globals
from yt_dlp.networking._requests import RequestsRH
from yt_dlp.networking.exceptions import HTTPError, RequestError

from streamer.acquire.disk import require_free_disk
from streamer.acquire.download import drop_redirect_body
from streamer.acquire.failures import rejected, too_large
from streamer.acquire.guard import ConnectionGuard
from streamer.config import AcquireSettings
from streamer.errors import StreamerError

# A page, manifest or key is read into memory in one go; a media body is not.
_MAX_WHOLE_BYTES = 32 << 20
_STEP_BYTES = 1 << 20


class _GuardedRH(RequestsRH):  # type: ignore[misc]
    """Requests through ``requests``; others of yt-dlp's handlers connect from C, or to ``ftp:``."""

    def _create_instance(self, *args: Any, **kwargs: Any) -> Any:
        session = super()._create_instance(*args, **kwargs)
        session.hooks["response"].append(drop_redirect_body)
        return session


class BoundedYoutubeDL(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """yt-dlp for one job: no plugins, no handlers but one, and a budget of bytes.

    ``last_error`` is what the latest request met, if it failed: where yt-dlp gives up on a segment,
    its own error no longer says why.
    """

    def __init__(
        self, options: Mapping[str, Any], settings: AcquireSettings, guard: ConnectionGuard
    ) -> None:
        # Plugins are code from folders of the user; they are looked for once in a process.
        yt_dlp.globals.plugin_dirs.value = []
        self._guard = guard
        self._settings = settings
        self._left = settings.max_bytes
        self.last_error: Exception | None = None
        super().__init__(dict(options))

    def build_request_director(self, _handlers: Any, preferences: Any = None) -> Any:
        """The director of yt-dlp, with the one handler whose connections the guard sees."""
        return super().build_request_director([_GuardedRH], preferences)

    def urlopen(self, request: Any) -> Any:
        """Open ``request``; every byte read from the answer counts against the budget.

        Raises:
            JobRejected: ``too_large`` or ``unsupported_scheme``.
            RequestError: as of yt-dlp.
        """
        self.last_error = None
        self._require_web(request if isinstance(request, str) else request.url)
        try:
            response = super().urlopen(request)
        except RequestError as error:
            self.last_error = error
            if isinstance(error, HTTPError):
                self._bound(error.response)  # Extractors read error pages, too.
            raise
        declared = response.headers.get("Content-Length") or ""
        if declared.isdecimal() and int(declared) > self._left:
            response.close()
            raise self._guard.fail(too_large(self._settings.max_bytes))
        self._bound(response)
        return response

    def _require_web(self, url: str) -> None:
        scheme = urlsplit(url).scheme
        if scheme not in ("", "http", "https"):  # None: yt-dlp takes //host as http.
            message = f"the page or playlist leads to a {scheme[:40]}: URL; only http(s) is taken"
            raise self._guard.fail(rejected("unsupported_scheme", message))

    def _bound(self, response: Any) -> None:
        read = response.read

        def counted(amt: int | None = None) -> bytes:
            return self._read_some(read, amt) if amt is not None else self._read_all(read)

        response.read = counted

    def _read_some(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            data = read(size)
        except RequestError as error:
            self.last_error = error
            raise
        self._require_disk()
        self._left -= len(data)
        if self._left < 0:
            raise self._guard.fail(too_large(self._settings.max_bytes))
        return data

    def _require_disk(self) -> None:
        try:
            require_free_disk(self._settings)
        except StreamerError as error:
            raise self._guard.fail(error) from error

    def _read_all(self, read: Callable[[int], bytes]) -> bytes:
        whole = bytearray()
        while data := self._read_some(read, _STEP_BYTES):
            whole += data
            if len(whole) > _MAX_WHOLE_BYTES:
                message = f"a page or manifest is over {_MAX_WHOLE_BYTES >> 20} MiB"
                raise self._guard.fail(rejected("too_large", message))
        return bytes(whole)
