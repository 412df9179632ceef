"""What adds up and what does not, on records made by hand."""

from __future__ import annotations

from typing import Literal

import pytest

from streamer.audit import Clip, Job, Ledger, Report, account
from streamer_client.records import VideoDone, VideoError

BOTH = pytest.mark.parametrize("exactly_once", [False, True])


def end(
    video_id: str = "a",
    clips: int = 2,
    status: Literal["done", "failed", "rejected"] = "done",
    kind: str | None = None,
) -> VideoDone:
    error = VideoError(stage="decode", kind=kind, message="why") if kind else None
    return VideoDone(video_id=video_id, url="u", status=status, clips=clips, error=error)


def clips(video_id: str = "a", count: int = 2) -> list[Clip]:
    return [Clip(video_id, f"{video_id}-{index}") for index in range(count)]


def whole(video_id: str = "a") -> Ledger:
    return Ledger([Job(video_id)], [], clips(video_id), clips(video_id), [end(video_id)])


def kinds(report: Report) -> list[tuple[str, str]]:
    return [(fault.kind, fault.subject) for fault in report.faults]


def at_least_once(ledger: Ledger) -> list[tuple[str, str]]:
    return kinds(account(ledger, exactly_once=False))


def strictly(ledger: Ledger) -> list[tuple[str, str]]:
    return kinds(account(ledger, exactly_once=True))


@BOTH
def test_a_whole_job_adds_up(exactly_once: bool) -> None:
    report = account(whole(), exactly_once=exactly_once)
    assert report.faults == []
    assert {name: count for name, count in report.counts.items() if count} == {
        "jobs": 1,
        "ends": 1,
        "done": 1,
        "clips announced": 2,
        "clips captioned": 2,
    }


@BOTH
def test_nothing_adds_up(exactly_once: bool) -> None:
    assert account(Ledger(), exactly_once=exactly_once).faults == []


@BOTH
def test_a_settled_job_without_an_end_is_lost(exactly_once: bool) -> None:
    report = account(Ledger([Job("a"), Job("b")], ends=[end("b", 0)]), exactly_once=exactly_once)
    assert kinds(report) == [("lost", "a")]
    assert report.counts["lost jobs"] == 1


@BOTH
def test_one_of_two_equal_jobs_can_be_lost(exactly_once: bool) -> None:
    ledger = Ledger([Job("a"), Job("a")], ends=[end(clips=0)])
    assert kinds(account(ledger, exactly_once=exactly_once)) == [("lost", "a")]


@BOTH
def test_an_open_job_is_not_lost(exactly_once: bool) -> None:
    report = account(Ledger([Job("a", is_open=True)]), exactly_once=exactly_once)
    assert (report.faults, report.counts["still open"]) == ([], 1)


@BOTH
def test_a_job_that_waits_for_a_retry_is_not_lost(exactly_once: bool) -> None:
    report = account(Ledger([Job("a")], waiting=["a"]), exactly_once=exactly_once)
    assert (report.faults, report.counts["waiting for a retry"]) == ([], 1)


@BOTH
def test_a_job_submitted_twice_ends_twice(exactly_once: bool) -> None:
    once = whole()
    twice = Ledger(once.jobs * 2, [], once.boundaries * 2, once.captions * 2, once.ends * 2)
    report = account(twice, exactly_once=exactly_once)
    assert report.faults == []
    assert (report.counts["duplicate ends"], report.counts["repeated clips"]) == (0, 2)


def test_a_job_processed_twice_is_a_fault_of_exactly_once_alone() -> None:
    once = whole()
    twice = Ledger(once.jobs, [], once.boundaries * 2, once.captions * 2, once.ends * 2)
    report = account(twice, exactly_once=False)
    assert (report.faults, report.counts["duplicate ends"]) == ([], 1)
    assert strictly(twice) == [("duplicate", "a")]


def test_clips_before_their_end_are_a_fault_of_exactly_once_alone() -> None:
    running = Ledger([Job("a", is_open=True)], boundaries=clips())
    assert at_least_once(running) == []
    assert strictly(running) == [("half", "a")]


@BOTH
def test_a_clip_that_was_not_announced_makes_half_a_job(exactly_once: bool) -> None:
    ledger = whole()
    ledger.boundaries.pop()
    ledger.captions.pop()
    report = account(ledger, exactly_once=exactly_once)
    assert kinds(report) == [("half", "a")]
    assert report.faults[0].message == "its end states 2 clips, 1 were announced"


@BOTH
def test_a_clip_without_a_caption_makes_half_a_job(exactly_once: bool) -> None:
    ledger = whole()
    ledger.captions.pop()
    report = account(ledger, exactly_once=exactly_once)
    assert kinds(report) == [("half", "a")]
    assert report.counts["half jobs"] == 1


@BOTH
def test_captions_that_nobody_asked_for_are_not_missed(exactly_once: bool) -> None:
    ledger = Ledger([Job("a", captions=False)], boundaries=clips(), ends=[end()])
    assert account(ledger, exactly_once=exactly_once).faults == []


@BOTH
@pytest.mark.parametrize("status", ["done", "failed"])
def test_captions_of_a_broken_job_are_not_missed(
    exactly_once: bool, status: Literal["done", "failed"]
) -> None:
    ended = [end(status=status, kind="partial")]
    letters = ["a"] if status == "failed" else []
    ledger = Ledger([Job("a")], boundaries=clips(), ends=ended, letters=letters)
    assert account(ledger, exactly_once=exactly_once).faults == []


@BOTH
def test_a_failure_must_be_a_dead_letter(exactly_once: bool) -> None:
    ledger = Ledger([Job("a")], ends=[end(clips=0, status="rejected", kind="url_refused")])
    assert kinds(account(ledger, exactly_once=exactly_once)) == [("no_letter", "a")]


def test_a_second_dead_letter_is_a_fault_of_exactly_once_alone() -> None:
    failed = [end(clips=0, status="failed", kind="gone")]
    ledger = Ledger([Job("a")], ends=failed, letters=["a", "a"])
    assert (at_least_once(ledger), strictly(ledger)) == ([], [("duplicate", "a")])


@BOTH
def test_records_without_a_job_are_orphans(exactly_once: bool) -> None:
    ledger = Ledger(boundaries=clips("b"), captions=clips("b"), ends=[end("b")])
    report = account(ledger, exactly_once=exactly_once)
    assert kinds(report) == [("orphan", "b")]
    assert report.faults[0].message == "1 ends, 2 clips, 2 captions and 0 dead letters, but no job"


@BOTH
def test_where_retention_removed_jobs_there_are_no_orphans(exactly_once: bool) -> None:
    ledger = whole()
    ledger.jobs, ledger.begins_late = [], True
    report = account(ledger, exactly_once=exactly_once)
    assert (report.faults, report.counts["orphans"]) == ([], 1)


@BOTH
def test_a_caption_of_no_clip_is_an_orphan(exactly_once: bool) -> None:
    ledger = whole()
    ledger.captions[0] = Clip("a", "other")
    found = kinds(account(ledger, exactly_once=exactly_once))
    assert found == [("half", "a"), ("orphan", "a")]


@BOTH
def test_what_is_no_record_is_named(exactly_once: bool) -> None:
    ledger = Ledger(unreadable=["videos.done/0@7"])
    report = account(ledger, exactly_once=exactly_once)
    assert kinds(report) == [("unreadable", "videos.done/0@7")]
