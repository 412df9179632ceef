"""Spans that the job names."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streamer.stitch import cut_given_spans
from tests.frames import batches_of, flat_frames


@given(size=st.integers(1, 80))
def test_spans_become_clips_of_whole_frames(size: int) -> None:
    dropped: Counter[str] = Counter()
    batches = batches_of(flat_frames(250, (1, 2, 3)), sizes=[size], every=5)
    clips = list(cut_given_spans(batches, [(0.5, 2.01), (2.01, 4.0), (20.0, 30.0)], 4, dropped))
    frames = [(clip.span.start_frame, clip.span.end_frame) for clip in clips]
    assert frames == [(13, 51), (51, 100)]
    assert [len(clip.samples) for clip in clips] == [4, 4]
    assert dropped == {"span_outside_video": 1}


def test_a_span_past_the_end_stops_with_the_video() -> None:
    batches = batches_of(flat_frames(100, (1, 2, 3)))
    (clip,) = cut_given_spans(batches, [(3.0, 9.0)], 4, Counter())
    assert (clip.span.start_frame, clip.span.end_frame) == (75, 100)
