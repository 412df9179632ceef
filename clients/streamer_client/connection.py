"""How to reach Triton: address, TLS, keepalive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tritonclient.grpc import MAX_GRPC_MESSAGE_SIZE

# Triton takes a ping without data every 5 minutes as abuse, but lets two pass; gRPC sends no more
# than two before it has something to say. So this finds a dead peer during a call, and is safe.
KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS, PINGS_WITHOUT_DATA = 60_000, 20_000, 2
# gRPC would wait up to two minutes before it looks again whether the server is back.
FIRST_RECONNECT_MS, LAST_RECONNECT_MS = 100, 2_000


@dataclass(frozen=True)
class Tls:
    """Certificates, as PEM files.

    Attributes:
        authorities: whom to trust; None for the system's.
        certificate: this client's own, where the server asks for one.
        key: its private key.
    """

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def channel_options(tls: Tls | None) -> dict[str, Any]:
    """Arguments of tritonclient's gRPC clients.

    ``channel_args`` replaces all their defaults, so it has to name those that should stay.
    """
    arguments: dict[str, Any] = {
        "channel_args": [
            ("grpc.max_send_message_length", MAX_GRPC_MESSAGE_SIZE),
            ("grpc.max_receive_message_length", MAX_GRPC_MESSAGE_SIZE),
            ("grpc.keepalive_time_ms", KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
            ("grpc.keepalive_permit_without_calls", 0),
            ("grpc.http2.max_pings_without_data", PINGS_WITHOUT_DATA),
            ("grpc.initial_reconnect_backoff_ms", FIRST_RECONNECT_MS),
            ("grpc.min_reconnect_backoff_ms", FIRST_RECONNECT_MS),
            ("grpc.max_reconnect_backoff_ms", LAST_RECONNECT_MS),
        ]
    }
    if tls is not None:
        arguments |= {
            "ssl": True,
            "root_certificates": tls.authorities,
            "certificate_chain": tls.certificate,
            "private_key": tls.key,
        }
    return arguments
