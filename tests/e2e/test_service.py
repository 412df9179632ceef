"""Every record on every topic after jobs good and bad, through real broker, Triton and worker."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from streamer.config import Settings
from streamer.embedded.broker import EmbeddedBroker
from streamer.embedded.services import local_worker
from streamer.sample_reel import SampleReel
from streamer_client.records import (
    ClipBoundary,
    ClipCaption,
    VideoDone,
    VideoJob,
    clip_id_of,
    video_id_of,
)
from tests.e2e.installation import Entry, Installation, boundaries, captions, own_topics
from tests.embedded.conftest import wait_until
from tests.web import Web

pytestmark = pytest.mark.services

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
GOOD = ("local", "remote", "without captions")
NO_JOBS: dict[str, tuple[bytes | None, str]] = {
    "cut off": (b'{"url": "http://127.0.0.2/a.mp4", ', "not JSON"),
    "unknown field": (b'{"url": "http://127.0.0.2/a.mp4", "colour": "red"}', "colour"),
    "wrong type": (b'{"url": 5}', "url: "),
    "wrong option": (b'{"url": "a", "options": {"detector": "guess"}}', "options.detector"),
    "no text": (bytes(range(128, 256)), "not UTF-8"),
    "endless number": (b'{"url": ' + b"1" * 5000 + b"}", "not JSON"),
    "half a character": (b'{"url": "a", "metadata": {"title": "\\ud800"}}', "not JSON"),
    "span without end": (b'{"url": "a", "spans": [[0, 1e308]]}', "spans"),
    "nothing": (b"", "neither JSON nor a URL"),
    "tombstone": (None, "neither JSON nor a URL"),
}


@dataclass(frozen=True)
class Log:
    """What stands on the topics once all jobs have ended."""

    installation: Installation
    entries: dict[str, list[Entry]]
    bare: str
    missing: str

    def of(self, topic: str, video_id: str) -> list[Entry]:
        return [each for each in self.entries[topic] if each.key == video_id.encode()]


@pytest.fixture(scope="module")
def log(
    local: Settings,
    broker: EmbeddedBroker,
    reel: SampleReel,
    short: Path,
    site: Web,
    tmp_path_factory: pytest.TempPathFactory,
) -> Log:
    bare = site.serve("/bare.mp4", short)
    missing = site.url("/no-such.mp4")
    jobs = [
        VideoJob(url=str(reel.path), video_id="local"),
        VideoJob.model_validate(
            {"url": str(reel.path), "video_id": "without captions", "options": {"captions": False}}
        ),
        VideoJob(url=site.serve("/remote.mp4", short), video_id="remote"),
        VideoJob(url=missing, video_id="missing"),
    ]
    bad = [value for value, _ in NO_JOBS.values()]
    service = own_topics(local, broker, "log", tmp_path_factory.mktemp("temp"))
    service.produce(*(job.to_bytes() for job in jobs), bare.encode())
    service.produce(*bad, key=b"no job")
    with local_worker(service.settings, tmp_path_factory.mktemp("worker")):
        service.wait_for_ends(len(service.read(service.topics.videos)))
        wait_until(lambda: not service.uncommitted())
    return Log(service, {topic: service.read(topic) for topic in service.topics.all}, bare, missing)


def test_each_message_has_one_end(log: Log) -> None:
    topics = log.installation.topics
    assert len(log.entries[topics.done]) == len(log.entries[topics.videos])
    ends = Counter(each.key for each in log.entries[topics.done])
    expected = {*GOOD, "missing", video_id_of(log.bare)}
    assert {ends[video_id.encode()] for video_id in expected} == {1}


def test_every_record_is_as_documented(log: Log) -> None:
    topics = log.installation.topics
    for topic, name in (
        (topics.boundaries, "clip.boundary"),
        (topics.captions, "clip.caption"),
        (topics.done, "video.done"),
    ):
        assert log.entries[topic]
        for entry in log.entries[topic]:
            record = json.loads(entry.value)
            assert entry.key == record["video_id"].encode()
            _check_event(entry, name, record)
    ids = [each.headers["ce_id"] for topic in topics.results for each in log.entries[topic]]
    assert len(ids) == len(set(ids))


def _check_event(entry: Entry, name: str, record: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    Draft202012Validator(schema).validate(record)
    assert record.keys() <= schema["properties"].keys()
    headers = {key: value.decode() for key, value in entry.headers.items() if key != "ce_id"}
    assert headers == {
        "ce_type": f"streamer.{name}.v1",
        "ce_source": "streamer-worker",
        "ce_specversion": "1.0",
        "content-type": "application/json",
    }


@pytest.mark.parametrize("video_id", GOOD)
def test_clips_are_in_order_and_apart(log: Log, video_id: str) -> None:
    clips = boundaries(log.installation.records(video_id))
    assert [clip.index for clip in clips] == list(range(len(clips)))
    assert len(clips) >= 3
    for clip in clips:
        assert clip.clip_id == clip_id_of(video_id, clip.start, clip.end)
        edges = [edge for shot in clip.shots for edge in (shot.start_frame, shot.end_frame)]
        assert (edges[0], edges[-1]) == (clip.start_frame, clip.end_frame)
        assert edges == sorted(edges)
    for one, other in itertools.pairwise(clips):
        assert one.start < one.end <= other.start
        assert one.start_frame < one.end_frame <= other.start_frame


@pytest.mark.parametrize("video_id", GOOD)
def test_the_end_counts_what_was_said(log: Log, video_id: str) -> None:
    records = log.installation.records(video_id)
    done = records[-1]
    assert isinstance(done, VideoDone)
    assert (done.status, done.error) == ("done", None)
    assert done.clips == len(boundaries(records))
    assert done.frames / 25 == pytest.approx(done.duration, abs=0.001)
    assert 0 < done.timings["first_boundary"] <= done.timings["total"]


@pytest.mark.parametrize("video_id", ["local", "remote"])
def test_each_clip_is_captioned_once(log: Log, video_id: str) -> None:
    records = log.installation.records(video_id)
    announced, captioned = boundaries(records), captions(records)
    assert [_boundary_of(caption) for caption in captioned] == announced
    for caption in captioned:
        assert [each.captioner for each in caption.candidates] == [
            "captioner_tags",
            "captioner_motion",
        ]
        assert all(each.error is None and each.caption for each in caption.candidates)
        best = max(caption.candidates, key=lambda each: each.score)
        assert (caption.caption, caption.matching_score) == (best.caption, best.score)
        assert {"clip", "caption", "captioner_tags", "captioner_motion"} <= caption.models.keys()


def _boundary_of(caption: ClipCaption) -> ClipBoundary:
    return ClipBoundary.model_validate(caption.model_dump())


def test_captions_can_be_left_out(log: Log) -> None:
    assert log.of(log.installation.topics.captions, "without captions") == []


def test_the_cuts_of_the_reel_are_found(log: Log, reel: SampleReel) -> None:
    starts = [clip.start_frame for clip in boundaries(log.installation.records("local"))]
    (start, end) = reel.fade
    expected = sorted([0, *reel.cuts, (start + end) // 2])
    assert len(starts) == len(expected)
    for found, true in zip(starts, expected, strict=True):
        assert abs(found - true) <= (5 if true in (0, *reel.cuts) else end - start)


def test_a_bare_url_is_a_job(log: Log) -> None:
    records = log.installation.records(video_id_of(log.bare))
    assert len(captions(records)) == 3
    assert {getattr(record, "url", None) for record in records} == {log.bare}


@pytest.mark.parametrize("name", NO_JOBS)
def test_what_is_no_job_is_rejected_and_kept(log: Log, name: str) -> None:
    value, says = NO_JOBS[name]
    topics = log.installation.topics
    (message, *_) = [each for each in log.entries[topics.videos] if each.value == value]
    letter = _letter(log, message)
    assert letter.value == (value or b"")
    assert letter.headers["streamer-kind"] == b"bad_record"
    assert says in letter.headers["streamer-message"].decode()
    (done, *_) = [VideoDone.model_validate_json(e.value) for e in log.of(topics.done, _key(letter))]
    assert (done.status, done.url, done.clips) == ("rejected", "", 0)


def test_a_failed_job_is_kept_byte_for_byte(log: Log) -> None:
    topics = log.installation.topics
    (letter,) = log.of(topics.dead, "missing")
    (message,) = [
        each for each in log.entries[topics.videos] if b'"missing"' in (each.value or b"")
    ]
    assert letter == _letter(log, message)
    assert letter.value == message.value
    (done,) = (VideoDone.model_validate_json(each.value) for each in log.of(topics.done, "missing"))
    assert done.error is not None
    assert (done.status, done.url) == ("failed", log.missing)
    stated = {
        name: letter.headers[f"streamer-{name}"].decode() for name in ("stage", "kind", "message")
    }
    assert stated == done.error.model_dump(include={"stage", "kind", "message"})
    assert letter.headers["streamer-attempt"] == str(done.error.attempts).encode()


def _letter(log: Log, message: Entry) -> Entry:
    """The dead letter that says it is of ``message``."""
    place = (message.topic, str(message.partition), str(message.offset))
    (letter,) = [
        each
        for each in log.entries[log.installation.topics.dead]
        if tuple(
            each.headers[f"streamer-origin-{name}"].decode()
            for name in ("topic", "partition", "offset")
        )
        == place
    ]
    return letter


def _key(entry: Entry) -> str:
    assert entry.key is not None
    return entry.key.decode()


def test_only_failures_are_dead_and_nothing_is_retried(log: Log) -> None:
    topics = log.installation.topics
    ends = [VideoDone.model_validate_json(each.value) for each in log.entries[topics.done]]
    failed = Counter(each.video_id for each in ends if each.status != "done")
    assert Counter(_key(each) for each in log.entries[topics.dead]) == failed
    assert log.entries[topics.retry] == []


def test_everything_is_committed_and_nothing_left_on_disk(log: Log) -> None:
    assert log.installation.uncommitted() == {}
    assert list(log.installation.settings.acquire.temp_dir.iterdir()) == []
