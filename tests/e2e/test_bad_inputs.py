"""Every bad input ends with one record that names the stage, the kind, and what to do."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from streamer.config import Settings
from streamer.pipeline import run_job
from streamer_client.records import Record, VideoDone, VideoJob
from streamer_client.triton import TritonModels
from tests.e2e.films import cut_off, damaged
from tests.media import numbered_video, write_sound
from tests.web import Web, refused_port

pytestmark = pytest.mark.services

HTML = b"<!DOCTYPE html><html><head><title>Hello</title></head><body>No video here.</body></html>"


@dataclass(frozen=True)
class Place:
    """Where inputs are made and served from."""

    folder: Path
    site: Web
    film: Path

    def file(self, content: bytes) -> str:
        path = self.folder / "input.mp4"
        path.write_bytes(content)
        return str(path)

    def zip(self) -> str:
        path = self.folder / "input.mp4"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "hello " * 200)
        return str(path)


@dataclass(frozen=True)
class Case:
    """An input, and how its job must end."""

    make: Callable[[Place], str]
    status: str
    stage: str
    kind: str
    says: str
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)


CASES = {
    "404": Case(
        lambda place: place.site.url("/none.mp4"),
        *("failed", "acquire", "not_found", "nothing at this URL"),
    ),
    "unknown host": Case(
        lambda _: "http://no-such-host.invalid/a.mp4",
        *("failed", "acquire", "dns_failure", "check its spelling"),
    ),
    "connection reset": Case(
        lambda place: place.site.url("/reset.mp4"),
        *("failed", "acquire", "connection_reset", "broke the connection off"),
    ),
    "page": Case(
        lambda place: place.site.serve("/page.mp4", HTML, "text/html"),
        *("rejected", "acquire", "not_a_video", "no video"),
    ),
    "refused address": Case(
        lambda _: "http://127.0.0.1:9/a.mp4",
        *("rejected", "acquire", "address_refused", "acquire.allowed_networks"),
    ),
    "unknown scheme": Case(
        lambda _: "ftp://example.org/a.mp4",
        *("rejected", "acquire", "unsupported_scheme", "https"),
    ),
    "zip": Case(
        Place.zip,
        *("rejected", "decode", "not_a_video", "zip archive"),
    ),
    "sound": Case(
        lambda place: str(write_sound(place.folder / "sound.mp4")),
        *("rejected", "decode", "no_video_stream", "send a video"),
    ),
    "no bytes": Case(
        lambda place: place.file(b""),
        *("rejected", "acquire", "not_a_video", "the file is empty"),
    ),
    "one frame": Case(
        lambda place: str(numbered_video(place.folder / "one.mp4", 1)),
        *("rejected", "decode", "single_frame", "send a video"),
    ),
    "cut off before the index": Case(
        lambda place: str(
            cut_off(numbered_video(place.folder / "a.mp4"), place.folder / "cut.mp4", 0.6)
        ),
        *("failed", "decode", "truncated", "fetch it again"),
    ),
    "no file": Case(
        lambda place: str(place.folder / "absent.mp4"),
        *("failed", "acquire", "not_found", "No such file"),
    ),
    "outside the roots": Case(
        lambda _: "/etc/hostname",
        *("rejected", "acquire", "path_refused", "--allow-root"),
    ),
    "too large": Case(
        lambda place: place.site.serve("/large.mp4", place.film),
        *("rejected", "acquire", "too_large", "acquire.max_bytes"),
        {"acquire": {"max_bytes": 10_000}},
    ),
    "too long": Case(
        lambda place: str(place.film),
        *("rejected", "decode", "too_long", "decode.max_seconds"),
        {"decode": {"max_seconds": 8.5}},
    ),
    "too many pixels": Case(
        lambda place: str(place.film),
        *("rejected", "decode", "too_many_pixels", "decode.max_pixels"),
        {"decode": {"max_pixels": 1000}},
    ),
}
PARTIAL = {
    "cut off after the index": lambda place: cut_off(place.film, place.folder / "cut.mp4", 0.8),
    "noise in the middle": lambda place: damaged(place.film, place.folder / "noise.mp4"),
}


@pytest.fixture
def place(tmp_path: Path, site: Web, short: Path) -> Place:
    folder = tmp_path / "inputs"
    folder.mkdir()
    return Place(folder, site, short)


@pytest.fixture
def settings(local: Settings, place: Place, tmp_path: Path) -> Settings:
    temp_dir = tmp_path / "temp"
    temp_dir.mkdir()
    return local.with_section(
        "acquire", allowed_roots=(place.folder, place.film.parent), temp_dir=temp_dir
    )


def run(url: str, models: TritonModels, settings: Settings) -> tuple[list[Record], VideoDone]:
    """All records of a job but the last, and the last, which alone ends it."""
    *before, done = run_job(VideoJob(url=url), models, settings)
    assert isinstance(done, VideoDone)
    assert not any(isinstance(record, VideoDone) for record in before)
    assert list(settings.acquire.temp_dir.iterdir()) == []
    return before, done


@pytest.mark.parametrize("name", CASES)
def test_it_ends_as_it_should(
    name: str, place: Place, models: TritonModels, settings: Settings
) -> None:
    case = CASES[name]
    for section, values in case.limits.items():
        settings = settings.with_section(section, **values)
    before, done = run(case.make(place), models, settings)
    assert before == []
    assert done.error is not None
    assert (done.status, done.error.stage, done.error.kind) == (case.status, case.stage, case.kind)
    assert case.says in done.error.message
    assert done.error.message.isprintable()
    assert (done.clips, done.frames) == (0, 0)


@pytest.mark.parametrize("name", PARTIAL)
def test_what_can_be_decoded_is_captioned(
    name: str, place: Place, models: TritonModels, settings: Settings
) -> None:
    before, done = run(str(PARTIAL[name](place)), models, settings)
    assert done.status == "done"
    assert done.error is not None
    assert (done.error.stage, done.error.kind) == ("decode", "partial")
    assert "could not be decoded" in done.error.message
    assert done.error.message.isprintable()
    assert 100 < done.frames < 225
    assert len(before) == 2 * done.clips > 0


def test_without_triton(place: Place, settings: Settings) -> None:
    started = time.monotonic()
    with TritonModels(f"127.0.0.1:{refused_port('127.0.0.1')}", 30) as models:
        before, done = run(str(place.film), models, settings)
    assert before == []
    assert done.error is not None
    assert (done.status, done.error.kind) == ("failed", "triton_unavailable")
    assert "triton.url" in done.error.message
    assert done.error.message.isprintable()
    assert time.monotonic() - started < 20
