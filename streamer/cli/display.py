"""What people see: progress while it runs, a table of clips at the end."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TextIO
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from streamer.errors import UsageError
from streamer_client.records import ClipBoundary, ClipCaption, Record, VideoDone

errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


def clock(seconds: float) -> str:
    """``1:02:03.4``, hours only where there are any."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes:d}:{rest:04.1f}"


def counted(clips: int) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{clips} clip" if clips == 1 else f"{clips} clips"


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say that something takes a while: a spinner on a terminal, a line elsewhere."""
    if errors.is_terminal:
        with errors.status(what):
            yield
    else:
        errors.print(f"{what} …")
        yield


def write_text(path: Path, text: str) -> None:
    """Write a file of results.

    Raises:
        UsageError: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def name_of(url: str) -> str:
    """The last part of a URL's path, or all of it where there is none."""
    return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]) or url


def json_line(record: Record) -> str:
    """A record as one JSON object, its type first."""
    return json.dumps({"type": record.type, **record.model_dump(mode="json")}, ensure_ascii=False)


class Results:
    """Collects records: shows progress, writes JSON lines, prints tables.

    Raises ``UsageError`` if ``output`` cannot be written.

    On a terminal a live line per video; elsewhere one plain line per finished video.

    Args:
        names: what to call each video, by ``video_id``.
        output: file for JSON lines, ``None`` for none.
    """

    def __init__(self, names: dict[str, str], output: Path | None):
        self._names = names
        self._output = _opened(output) if output else None
        # By video, then by index: a clip's boundary until its caption takes the place.
        self._clips: dict[str, dict[int, ClipBoundary]] = defaultdict(dict)
        self.done: dict[str, VideoDone] = {}
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.disable = not self._progress.console.is_terminal
        self._task = self._progress.add_task("starting", total=len(names))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        if self._output:
            self._output.close()

    @property
    def failed(self) -> bool:
        """Whether some video did not end as ``done``."""
        return any(done.status != "done" for done in self.done.values())

    def add(self, record: Record) -> None:
        """Take the next record; those of videos that were not asked for are ignored."""
        video_id = getattr(record, "video_id", "")
        if video_id not in self._names:
            return
        if self._output:
            self._output.write(json_line(record) + "\n")
            self._output.flush()
        name = self._names[video_id]
        clips = self._clips[video_id]
        if isinstance(record, ClipBoundary):
            clips[record.index] = record
        elif isinstance(record, VideoDone):
            self.done[video_id] = record
            self._finished(name, record)
        captioned = sum(isinstance(clip, ClipCaption) for clip in clips.values())
        said = f"{name}: {counted(len(clips))}, {captioned} captioned"
        self._progress.update(self._task, completed=len(self.done), description=said)

    @property
    def speed(self) -> str:
        """How fast the videos were, from when the service took each of them."""
        timings = [done.timings for done in self.done.values()]
        video = sum(done.duration for done in self.done.values())
        seconds = sum(each.get("total", 0.0) for each in timings)
        firsts = [each["first_boundary"] for each in timings if "first_boundary" in each]
        first = f"{max(firsts):.1f} s" if firsts else "never"
        return (
            f"{clock(video)} of video in {seconds:.1f} s ({video / max(seconds, 1e-9):.1f}x real "
            f"time), time to first boundary {first}"
        )

    def tables(self, console: Console) -> None:
        """Print a table of clips for every video that has any."""
        for video_id, name in self._names.items():
            if self._clips[video_id]:
                left_out = self.done[video_id].dropped if video_id in self.done else {}
                console.print(_table(name, self._clips[video_id], left_out))

    def _finished(self, name: str, done: VideoDone) -> None:
        if done.error is not None:
            mark = "partial" if done.status == "done" else done.status
            errors.print(f"{name}: {mark}: {done.error.kind}: {done.error.message}")
        elif self._progress.disable:
            took = f"{done.timings['total']:.1f} s"
            errors.print(f"{name}: {counted(done.clips)} of {clock(done.duration)} in {took}")


def _opened(output: Path) -> TextIO:
    try:
        return output.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write --output {output}: {error.strerror}") from error


def _table(name: str, clips: dict[int, ClipBoundary], left_out: dict[str, int]) -> Table:
    reasons = ", ".join(f"{count} {rule.replace('_', ' ')}" for rule, count in left_out.items())
    table = Table(
        title=name,
        title_justify="left",
        header_style="bold",
        caption=f"left out by rule: {reasons}" if reasons else None,
        caption_justify="left",
    )
    for column in ("clip", "from", "to"):
        table.add_column(column, justify="right")
    table.add_column("caption")
    table.add_column("score", justify="right")
    for index, clip in sorted(clips.items()):
        table.add_row(str(index), clock(clip.start), clock(clip.end), *_said(clip))
    return table


def _said(clip: ClipBoundary) -> tuple[Text, str]:
    if isinstance(clip, ClipCaption):
        return Text(clip.caption), f"{clip.matching_score:.2f}"
    return Text(""), ""
