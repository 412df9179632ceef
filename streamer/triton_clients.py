"""How the service reaches Triton."""

from __future__ import annotations

from streamer.config import TritonSettings
from streamer_client.connection import Tls
from streamer_client.triton import TritonModels


def triton_tls(settings: TritonSettings) -> Tls | None:
    """Whom to trust and what to show, or ``None`` where the connection is not encrypted."""
    if not settings.tls:
        return None
    return Tls(settings.ssl_cafile, settings.ssl_certfile, settings.ssl_keyfile)


def triton_models(settings: TritonSettings) -> TritonModels:
    """The models that the settings name; to be closed."""
    return TritonModels(settings.url, settings.timeout_seconds, triton_tls(settings))
