"""The real broker, the real Triton and one worker: each started once for the whole test run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from streamer.config import Settings
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.services import local_worker
from streamer.embedded.triton import EmbeddedTriton
from streamer.models.cache import cached_repository
from streamer.sample_reel import SampleReel, make_sample_reel
from streamer_client.triton import TritonModels
from tests.e2e.films import film
from tests.e2e.installation import Installation, own_topics
from tests.servers import packages, triton_serving
from tests.web import HOST, Web

# Threads of torch that wait for each other by spinning would take the cores from other tests: those
# of the models took half as much again. Read when torch is loaded, so here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

TRITON_SECONDS = 240.0  # Two busy cores take their time.


@pytest.fixture(scope="session")
def repository() -> Path:
    """The model repository of the offline profile."""
    with packages():
        return cached_repository("offline")


@pytest.fixture(scope="session")
def triton(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """A Triton that serves the offline profile."""
    with triton_serving(repository, tmp_path_factory.mktemp("triton")) as server:
        yield server


@pytest.fixture(scope="session")
def models(triton: EmbeddedTriton) -> Iterator[TritonModels]:
    """A connection to that Triton."""
    with TritonModels(triton.url, TRITON_SECONDS) as connection:
        yield connection


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A Kafka broker; what shares it takes a topic prefix and a group of its own."""
    server = EmbeddedBroker(log_dir=tmp_path_factory.mktemp("broker"))
    with packages():
        server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def reel(tmp_path_factory: pytest.TempPathFactory) -> SampleReel:
    """A film with known cuts, in the folder that local settings allow."""
    with packages():
        return make_sample_reel(tmp_path_factory.mktemp("media") / "reel.mp4")


@pytest.fixture(scope="session")
def short(reel: SampleReel) -> Path:
    """Nine seconds in three shots, beside the reel."""
    return film(reel.path.with_name("short.mp4"))


@pytest.fixture(scope="session")
def site() -> Iterator[Web]:
    """A web server whose address is allowed."""
    with Web() as server:
        yield server


@pytest.fixture(scope="session")
def local(triton: EmbeddedTriton, reel: SampleReel) -> Settings:
    """Settings that lead to the Triton, and allow the reel's folder and the web server."""
    return (
        Settings()
        .with_section("triton", url=triton.url, timeout_seconds=TRITON_SECONDS)
        .with_section(
            "acquire",
            allowed_roots=(reel.path.parent,),
            allowed_networks=(IPv4Network(f"{HOST}/32"),),
        )
    )


@pytest.fixture(scope="session")
def service(
    local: Settings, broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A worker that runs, on topics that all tests share which do it no harm."""
    installation = own_topics(local, broker, "service", tmp_path_factory.mktemp("temp"))
    with local_worker(installation.settings, tmp_path_factory.mktemp("worker")):
        yield installation
