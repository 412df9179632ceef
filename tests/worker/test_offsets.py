"""Commits never run ahead of a job that is unfinished."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.worker.offsets import OffsetTracker


@given(order=st.permutations(range(5, 17)))
def test_commits_follow_the_first_unfinished_offset(order: list[int]) -> None:
    tracker: OffsetTracker[str] = OffsetTracker()
    for offset in range(5, 17):
        tracker.take("p", offset)
    finished: set[int] = set()
    position = 5
    for offset in order:
        tracker.finish("p", offset)
        finished.add(offset)
        ready = tracker.ready()
        tracker.committed(ready)
        position = ready.get("p", position)
        assert position == next(i for i in range(5, 18) if i not in finished)


def test_gaps_between_offsets_are_no_obstacle() -> None:
    """Compaction and transaction markers leave holes."""
    tracker: OffsetTracker[str] = OffsetTracker()
    for offset in (3, 9, 20):
        tracker.take("p", offset)
        tracker.finish("p", offset)
    assert tracker.ready() == {"p": 21}
    assert tracker.held("p") == 3
    tracker.committed({"p": 21})
    assert tracker.held("p") == 0
    assert tracker.ready() == {}


def test_a_lost_partition_is_never_committed() -> None:
    tracker: OffsetTracker[str] = OffsetTracker()
    tracker.take("p", 1)
    tracker.forget("p")
    tracker.finish("p", 1)
    assert tracker.ready() == {}
    assert not tracker.holds("p", 1)
