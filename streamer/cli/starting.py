"""What commands for this machine start: broker, Triton, worker, and the settings they take."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.cli.display import working
from streamer.cli.options import Decoder, Detector, Device, Preset
from streamer.cli.sources import trusting_the_user
from streamer.config import Settings, load_settings

if TYPE_CHECKING:
    from streamer.embedded.process import GuardedProcess

DEFAULT_LOG_DIR = Path(tempfile.gettempdir()) / f"streamer-logs-{os.getuid()}"


def local_settings(
    config: Path | None,
    triton: str | None,
    bootstrap: str | None,
    allow_root: list[Path] | None,
    sources: list[str],
    detector: Detector | None,
    preset: Preset | None,
    decoder: Decoder | None = None,
    device: Device | None = None,
) -> Settings:
    """The settings, with what the user named on the command line trusted."""
    flags: dict[str, dict[str, Any]] = {
        "triton": {"url": triton},
        "kafka": {"bootstrap": bootstrap},
        "split": {"detector": detector, "preset": preset},
        "decode": {"decoder": decoder, "device": device},
        "acquire": {"allowed_roots": allow_root or None},
    }
    return trusting_the_user(load_settings(config, flags), sources)


def with_triton(
    services: ExitStack,
    settings: Settings,
    models: Path | None,
    log_dir: Path,
    port: int | None = None,
) -> Settings:
    """Start Triton; the settings that lead to it."""
    from streamer.embedded.services import local_triton
    from streamer.models.cache import cached_repository

    with working("preparing the models"):
        repository = models or cached_repository("offline")
    with working("starting Triton"):
        return services.enter_context(local_triton(settings, repository, log_dir, port))


def with_broker(
    services: ExitStack, settings: Settings, port: int | None, log_dir: Path
) -> Settings:
    """Start a broker; the settings that lead to it."""
    from streamer.embedded.services import local_broker

    with working("starting the broker"):
        return services.enter_context(local_broker(settings, port, log_dir))


def start_worker(services: ExitStack, settings: Settings, log_dir: Path) -> GuardedProcess:
    """Start a worker on topics that are created if need be."""
    from streamer.embedded.services import local_worker
    from streamer.kafka_clients import create_topics

    create_topics(settings.kafka)
    return services.enter_context(local_worker(settings, log_dir))
