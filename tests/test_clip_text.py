"""Captioners that read get what belongs to the video, and what is said in the clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from streamer.acquire import Media
from streamer.clip_text import VideoText
from streamer.errors import JobRejected
from streamer.spans import Span

SUBTITLES = [
    {"start": 0, "end": 2, "text": "Hello."},
    {"start": 2, "end": 5.5, "text": "A cat!"},
    {"start": 5.5, "end": 9, "text": "Goodbye."},
]


def media(title: str | None = None, description: str | None = None) -> Media:
    return Media(Path("video.mp4"), 1, title=title, description=description)


def test_a_clip_gets_the_subtitles_of_its_time() -> None:
    text = VideoText.of({"title": "Cats", "subtitles": SUBTITLES}, media())
    assert text.during(Span(Fraction(2), Fraction(5), 50, 125)) == "Cats\nA cat!"
    assert text.during(Span(Fraction(1), Fraction(6), 25, 150)).count("\n") == 3
    assert text.during(Span(Fraction(9), Fraction(12), 225, 300)) == "Cats"


def test_the_job_knows_better_than_the_site() -> None:
    span = Span(Fraction(0), Fraction(1), 0, 25)
    site = media("Untitled", "By me.")
    assert VideoText.of({}, site).during(span) == "Untitled\nBy me."
    assert VideoText.of({"title": "Cats"}, site).during(span) == "Cats\nBy me."
    assert VideoText.of({"title": 7}, media()).during(span) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        "Hello.",
        7,
        {"start": 1},
        ["Hello."],
        [{"start": "soon"}],
        [{"start": 1}],
        [{"start": 10**400, "end": 1, "text": "x"}],
    ],
)
def test_subtitles_of_another_shape_are_named(wrong: object) -> None:
    with pytest.raises(JobRejected, match=r"metadata\.subtitles: .* is not like"):
        VideoText.of({"subtitles": wrong}, media())
