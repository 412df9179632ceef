"""Messages that are no jobs, or jobs that ask for what cannot be."""

from __future__ import annotations

import json
from typing import Any

from tests.hostile.containers import small_video
from tests.hostile.place import Case, Place

_BAD = "rejected source bad_record"
_BAD_SUBTITLES = "rejected caption bad_subtitles"


def _raw(value: bytes) -> Case:
    return Case(lambda _: value, _BAD)


def _job(**fields: Any) -> Case:
    return _raw(json.dumps({"url": "http://good.example/a.mp4", **fields}).encode())


def _with_metadata(ends: str, **metadata: Any) -> Case:
    """A job over a sound video, whose words are odd."""

    def make(place: Place) -> bytes:
        url = str(small_video(place.root / "a.mp4"))
        return json.dumps({"url": url, "metadata": metadata}).encode()

    return Case(make, ends)


CASES = {
    "message: nothing": _raw(b""),
    "message: of 50 MB": _raw(b'{"url": "http://good.example/%b"}' % (b"a" * 50_000_000)),
    "message: of 50 MB of brackets": _raw(b"[" * 50_000_000),
    "message: not UTF-8": _raw(b'{"url": "http://good.example/\xff"}'),
    "message: UTF-16": _raw('{"url": "a"}'.encode("utf-16")),
    "message: half a surrogate": _raw(b'{"url": "http://good.example/\\ud800"}'),
    "message: words": _raw(b"please caption this"),
    "message: half an object": _raw(b'{"url": "http://good.example/a.mp4"'),
    "message: a number": _raw(b"[7]"),
    "message: 100,000 levels deep": _raw(b'{"url":' * 100_000),
    "message: metadata 100,000 levels deep": _raw(
        b'{"url": "a", "metadata": {"a": %b}}' % (b"[" * 100_000 + b"]" * 100_000)
    ),
    "message: NaN": _raw(b'{"url": "a", "spans": [[NaN, 1]]}'),
    "message: Infinity": _raw(b'{"url": "a", "spans": [[0, Infinity]]}'),
    "message: a number beyond all numbers": _raw(b'{"url": "a", "spans": [[0, 1e999]]}'),
    "message: a number of 10,000 digits": _raw(
        b'{"url": "a", "spans": [[0, %b]]}' % (b"9" * 10_000)
    ),
    "message: unknown field": _job(uri="x"),
    "message: unknown option": _job(options={"shell": "rm"}),
    "message: URL of 100 kB": _job(url="http://good.example/" + "a" * 100_000),
    "message: bare URL of 100 kB": _raw(b"http://good.example/" + b"a" * 100_000),
    "message: URL that is a list": _job(url=["http://good.example/"]),
    "message: no URL": _job(url=None),
    "message: id of 10 kB": _job(video_id="x" * 10_000),
    "message: reversed span": _job(spans=[[3, 1]]),
    "message: overlapping spans": _job(spans=[[0, 2], [1, 3]]),
    "message: empty span": _job(spans=[[1, 1]]),
    "message: span of three": _job(spans=[[1, 2, 3]]),
    "message: no spans": _job(spans=[]),
    "message: span before all time": _job(spans=[[-1e12, 1]]),
    "message: metadata that is text": _job(metadata="title"),
    "title with control characters": _with_metadata("done", title="a\0\x1b[31m\u202eb\r\n"),
    "title of a megabyte": _with_metadata("done", title="a" * 1_000_000),
    "title that is a tree": _with_metadata("done", title={"a": [1, {"b": None}]}),
    "subtitles that are a number": _with_metadata(_BAD_SUBTITLES, subtitles=7),
    "subtitles that are text": _with_metadata(_BAD_SUBTITLES, subtitles="Hello."),
    "subtitle beyond all time": _with_metadata(
        _BAD_SUBTITLES, subtitles=[{"start": 10**400, "end": 1, "text": "x"}]
    ),
    "subtitle without an end": _with_metadata(
        _BAD_SUBTITLES, subtitles=[{"start": 1, "text": "x"}]
    ),
}
