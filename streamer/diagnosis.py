"""What this machine has for the service, and how videos will be decoded on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av

from streamer.config import KafkaSettings, Settings, TritonSettings
from streamer.decode.choosing import check_decoder, choose
from streamer.decode.gpu import Card, Machine, this_machine
from streamer.errors import StreamerError

_ANSWER_SECONDS = 3.0
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
_LIBRARIES = ("libavcodec", "libavformat", "libswscale")


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        name: what was looked at.
        found: what was found, in a few words.
        is_good: whether it is there and answers.
    """

    name: str
    found: str
    is_good: bool = True


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at one thing after the other; those that do not answer take 3 seconds each."""
    machine = this_machine()
    yield _driver(machine)
    yield from _cards(machine)
    yield Finding("DALI", machine.dali or "not installed", machine.dali is not None)
    yield Finding("PyAV", _pyav())
    yield _space("shared memory", _SHARED_MEMORY)
    yield _space("temporary files", settings.acquire.temp_dir)
    yield _triton(settings.triton)
    yield _kafka(settings.kafka)
    yield _decoding(settings, machine)


def _driver(machine: Machine) -> Finding:
    if machine.driver_cuda is None:
        return Finding("driver", "none: libcuda.so.1 cannot be loaded", is_good=False)
    version = machine.cards[0].driver if machine.cards else "of unknown version"
    major, minor = divmod(machine.driver_cuda, 1000)
    return Finding("driver", f"{version}, knows CUDA {major}.{minor // 10}")


def _cards(machine: Machine) -> Iterator[Finding]:
    if not machine.cards:
        yield Finding("GPU", "none", is_good=False)
        yield Finding("NVDEC", "none", is_good=False)
        return
    for number, card in enumerate(machine.cards):
        yield Finding(f"GPU {number}", _described(card))
    codecs = ", ".join(machine.cards[0].codecs)
    found = codecs if machine.has_nvdec else "libnvcuvid.so.1 cannot be loaded"
    yield Finding("NVDEC", found, machine.has_nvdec)


def _described(card: Card) -> str:
    capability = ".".join(map(str, card.compute))
    memory = f"{card.free_mb} of {card.total_mb} MiB free"
    return f"{card.name}, {memory}, compute capability {capability}"


def _pyav() -> str:
    libraries = (f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in _LIBRARIES)
    return f"{av.__version__} with {', '.join(libraries)}"


def _space(name: str, folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(name, f"{folder}: {error.strerror}", is_good=False)
    return Finding(name, f"{folder}, {free >> 20} MiB free", free > 0)


def _triton(settings: TritonSettings) -> Finding:
    from tritonclient.grpc import InferenceServerClient
    from tritonclient.utils import InferenceServerException

    from streamer.triton_clients import triton_tls
    from streamer_client.connection import channel_options

    options = channel_options(triton_tls(settings))
    with InferenceServerClient(settings.url, **options) as client:
        try:
            is_ready = client.is_server_ready(client_timeout=_ANSWER_SECONDS)
        except InferenceServerException:
            return Finding("Triton", f"{settings.url} does not answer", is_good=False)
    answer = "is ready" if is_ready else "answers, but is not ready"
    return Finding("Triton", f"{settings.url} {answer}", bool(is_ready))


def _kafka(settings: KafkaSettings) -> Finding:
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    from streamer.kafka_clients import connection_options

    options = connection_options(settings)
    options["bootstrap_timeout_ms"] = int(_ANSWER_SECONDS * 1000)
    try:
        client = KafkaAdminClient(**options)
    except KafkaError:
        return Finding("Kafka", f"{settings.bootstrap} does not answer", is_good=False)
    client.close()
    return Finding("Kafka", f"{settings.bootstrap} answers")


def _decoding(settings: Settings, machine: Machine) -> Finding:
    try:
        check_decoder(settings)
        choice = choose(settings.decode, machine)
    except StreamerError as error:
        return Finding("decoding", error.message, is_good=False)
    decoder = "PyAV" if choice.decoder == "pyav" else f"DALI on the {choice.device.upper()}"
    return Finding("decoding", f"{decoder}: {choice.reason}")
