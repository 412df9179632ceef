"""How the service reaches Triton."""

from __future__ import annotations

import os

from streamer.config import TritonSettings
from streamer.errors import UsageError
from streamer_client.connection import Tls
from streamer_client.triton import TritonModels


def triton_tls(settings: TritonSettings) -> Tls | None:
    """Whom to trust and what to show, or ``None`` where the connection is not encrypted.

    Raises:
        UsageError: if a file cannot be read.
    """
    if not settings.tls:
        return None
    for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
        file = getattr(settings, name)
        if file is not None and not os.access(file, os.R_OK):
            raise UsageError(f"triton.{name}: cannot read {file}; name a file that is there")
    return Tls(settings.ssl_cafile, settings.ssl_certfile, settings.ssl_keyfile)


def triton_models(settings: TritonSettings) -> TritonModels:
    """The models that the settings name; to be closed.

    Raises:
        UsageError: if a file of the settings cannot be read.
    """
    return TritonModels(settings.url, settings.timeout_seconds, triton_tls(settings))
