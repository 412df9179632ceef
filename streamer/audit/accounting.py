"""Whether the records on the topics add up, job by job."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from streamer_client.records import VideoDone


@dataclass(frozen=True)
class Job:
    """A message on a topic of jobs.

    Attributes:
        is_open: it stands at or beyond the group's committed offset, so it is not settled yet.
        captions: whether captions were asked for.
    """

    video_id: str
    is_open: bool = False
    captions: bool = True


@dataclass(frozen=True)
class Clip:
    """A boundary or a caption of a clip."""

    video_id: str
    clip_id: str


@dataclass
class Ledger:
    """All that stands on the topics.

    Attributes:
        waiting: video ids of retries beyond the group's committed offset.
        letters: video ids of dead letters.
        unreadable: places of output records that are none, as ``topic/partition@offset``.
        begins_late: retention has removed records, so what is left may lack its job.
    """

    jobs: list[Job] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    boundaries: list[Clip] = field(default_factory=list)
    captions: list[Clip] = field(default_factory=list)
    ends: list[VideoDone] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    begins_late: bool = False


@dataclass(frozen=True)
class Fault:
    """One thing that does not add up: ``lost``, ``duplicate``, ``half``, ``orphan``, ``no_letter``
    or ``unreadable``; ``subject`` is the video's id, or the place of an unreadable record."""

    kind: str
    subject: str
    message: str


@dataclass(frozen=True)
class Report:
    """What was counted, by name, and what does not add up."""

    counts: dict[str, int]
    faults: list[Fault]


@dataclass
class _Video:
    """The records of one id."""

    jobs: list[Job] = field(default_factory=list)
    waiting: int = 0
    boundaries: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    ends: list[VideoDone] = field(default_factory=list)
    letters: int = 0

    @property
    def lost(self) -> int:
        settled = sum(not job.is_open for job in self.jobs) - self.waiting
        return max(0, settled - len(self.ends))

    @property
    def duplicates(self) -> int:
        return max(0, len(self.ends) - len(self.jobs)) if self.jobs else 0

    @property
    def failures(self) -> int:
        return sum(end.status != "done" for end in self.ends)

    @property
    def captions_due(self) -> bool:
        """Whether each clip must have a caption: wanted by every job, all of them whole."""
        whole = all(end.status == "done" and end.error is None for end in self.ends)
        return whole and bool(self.ends) and all(job.captions for job in self.jobs)


def account(ledger: Ledger, *, exactly_once: bool) -> Report:
    """Compare jobs with what was said of them.

    Delivery at least once allows an end, a clip or a caption to stand on its topic more than once;
    exactly once allows none of it, nor clips whose job has no end yet.
    """
    videos = _by_video(ledger)
    faults = [Fault("unreadable", place, "is no record") for place in ledger.unreadable]
    for video_id, video in videos.items():
        found = _strict_faults(video) if exactly_once else _faults(video)
        faults += [Fault(kind, video_id, message) for kind, message in found]
        if not video.jobs and not ledger.begins_late:
            faults.append(Fault("orphan", video_id, f"{_said(video)}, but no job"))
    return Report(_counts(ledger, list(videos.values()), faults), faults)


def _by_video(ledger: Ledger) -> dict[str, _Video]:
    videos: defaultdict[str, _Video] = defaultdict(_Video)
    for job in ledger.jobs:
        videos[job.video_id].jobs.append(job)
    for video_id in ledger.waiting:
        videos[video_id].waiting += 1
    for boundary in ledger.boundaries:
        videos[boundary.video_id].boundaries.append(boundary.clip_id)
    for caption in ledger.captions:
        videos[caption.video_id].captions.append(caption.clip_id)
    for end in ledger.ends:
        videos[end.video_id].ends.append(end)
    for video_id in ledger.letters:
        videos[video_id].letters += 1
    return videos


def _faults(video: _Video) -> Iterator[tuple[str, str]]:
    """What no kind of delivery allows."""
    if video.lost:
        yield "lost", f"{video.lost} of {len(video.jobs)} jobs settled without an end"
    announced, captioned = set(video.boundaries), set(video.captions)
    stated = max((end.clips for end in video.ends), default=0)
    if len(announced) < stated:
        yield "half", f"its end states {stated} clips, {len(announced)} were announced"
    if video.captions_due and announced - captioned:
        yield "half", f"{len(announced - captioned)} of {len(announced)} clips have no caption"
    if captioned - announced:
        yield "orphan", f"{len(captioned - announced)} captions of clips that were not announced"
    if video.failures and not video.letters:
        yield "no_letter", "it did not succeed and is not on the topic of dead letters"


def _strict_faults(video: _Video) -> Iterator[tuple[str, str]]:
    """What delivery exactly once does not allow."""
    yield from _faults(video)
    if video.duplicates:
        yield "duplicate", f"{len(video.ends)} ends of {len(video.jobs)} jobs"
    announced, stated = len(video.boundaries), sum(end.clips for end in video.ends)
    if announced > stated:
        yield "half", f"{announced} clips were announced, its ends state {stated}"
    if len(video.captions) > announced:
        yield "duplicate", f"{len(video.captions)} captions of {announced} clips"
    if video.letters > video.failures:
        yield "duplicate", f"{video.letters} dead letters of {video.failures} failures"


def _said(video: _Video) -> str:
    return (
        f"{len(video.ends)} ends, {len(video.boundaries)} clips, {len(video.captions)} captions "
        f"and {video.letters} dead letters"
    )


def _counts(ledger: Ledger, videos: list[_Video], faults: list[Fault]) -> dict[str, int]:
    status = Counter(end.status for end in ledger.ends)
    kinds = Counter(fault.kind for fault in faults)
    repeated = len(ledger.boundaries) - len(set(ledger.boundaries))
    return {
        "jobs": len(ledger.jobs),
        "still open": sum(job.is_open for job in ledger.jobs),
        "waiting for a retry": len(ledger.waiting),
        "ends": len(ledger.ends),
        "done": status["done"],
        "failed": status["failed"],
        "rejected": status["rejected"],
        "dead letters": len(ledger.letters),
        "clips announced": len(set(ledger.boundaries)),
        "clips captioned": len(set(ledger.captions)),
        "lost jobs": sum(video.lost for video in videos),
        "duplicate ends": sum(video.duplicates for video in videos),
        "repeated clips": repeated,
        "repeated captions": len(ledger.captions) - len(set(ledger.captions)),
        "half jobs": kinds["half"],
        "orphans": sum(not video.jobs for video in videos),
        "unreadable records": len(ledger.unreadable),
    }
