"""The wire contract."""

import json
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer_client import (
    BadRecord,
    Candidate,
    ClipCaption,
    JobOptions,
    VideoDone,
    VideoError,
    VideoJob,
    clip_id_of,
    video_id_of,
)
from streamer_client.schemas import schemas, text_of

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"

CAPTION = ClipCaption(
    clip_id=clip_id_of("v", 0.0, 2.5),
    video_id="v",
    url="https://example.org/a.mp4",
    index=0,
    start=0.0,
    end=2.5,
    start_frame=0,
    end_frame=60,
    shots=(),
    width=640,
    height=360,
    fps=24.0,
    caption="a cat",
    matching_score=0.5,
    candidates=(Candidate(captioner="captioner_tags", caption="a cat", score=0.5),),
    models={"clip": "x 1"},
)
DONE = VideoDone(
    video_id="v",
    url="u",
    status="failed",
    error=VideoError(stage="decode", kind="truncated", message="no index"),
)


def test_a_bare_url_and_an_object_are_the_same_job() -> None:
    bare = VideoJob.from_bytes(b"https://example.org/a.mp4\n")
    assert bare == VideoJob.from_bytes(b'{"url": "https://example.org/a.mp4"}')
    assert bare == VideoJob.from_bytes(b'"https://example.org/a.mp4"')
    assert bare.video_id == video_id_of("https://example.org/a.mp4")


def test_a_job_survives_the_topic() -> None:
    job = VideoJob(
        url="file:///a.mp4",
        metadata={"title": "É"},
        spans=((0.0, 1.5), (2, 3)),
        options=JobOptions(detector="transnetv2"),
    )
    assert VideoJob.from_bytes(job.to_bytes()) == job


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"", "neither JSON nor a URL"),
        (b"two words", "neither JSON nor a URL"),
        (b'{"url": "x"', "not JSON"),
        (b"[1]", "job"),
        (b"{}", "url"),
        (b'{"url": 5}', "url"),
        (b'{"url": ""}', "url"),
        (b'{"url": "x", "uri": "y"}', "uri"),
        (b'{"url": "x", "options": {"preset": "best"}}', "options.preset"),
        (b'{"url": "x", "spans": [[3, 1]]}', "spans"),
        (b'{"url": "x", "spans": [[0, 2], [1, 3]]}', "spans"),
        (b'{"url": "x", "spans": [[1, 1]]}', "spans"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 100_000, "JSON"),
    ],
)
def test_a_bad_job_names_the_field(value: bytes, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        VideoJob.from_bytes(value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_job_or_a_bad_record(value: bytes) -> None:
    with suppress(BadRecord):
        assert VideoJob.from_bytes(value).url


def test_ids_are_stable() -> None:
    """Consumers drop repeats by these: a change of them is a change of the contract."""
    assert video_id_of("https://example.org/a.mp4") == "fc7ec862-5188-54d9-828e-bd0613b90162"
    assert clip_id_of("v", 0.0, 2.5) == clip_id_of("v", 0.0, 2.5000000001)
    assert clip_id_of("v", 0.0, 2.5) != clip_id_of("w", 0.0, 2.5)


@pytest.mark.parametrize("name", sorted(schemas()))
def test_schema_files_are_current(name: str) -> None:
    written = (SCHEMAS / name).read_text(encoding="utf-8")
    assert written == text_of(schemas()[name]), "run `make schemas`"


@pytest.mark.parametrize("record", [CAPTION, DONE, VideoJob(url="x", spans=((0, 1),))])
def test_records_fit_their_schema(record: ClipCaption | VideoDone | VideoJob) -> None:
    schema = json.loads((SCHEMAS / f"{record.type}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(record.to_bytes()))


def test_readers_ignore_fields_they_do_not_know() -> None:
    later = {**json.loads(CAPTION.to_bytes()), "added_later": 1}
    assert ClipCaption.model_validate(later) == CAPTION
