"""Commands for jobs that did not succeed: ``dead list``, ``show``, ``replay``."""

from __future__ import annotations

import heapq
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.display import errors
from streamer.cli.options import BootstrapOption, ConfigOption, PrefixOption
from streamer.config import Settings, load_settings
from streamer.dead_letters import DeadLetter, Filter, read_dead_letters, replay
from streamer.errors import Unavailable, UsageError
from streamer_client.topics import Topics

KindOption = Annotated[str | None, typer.Option("--kind", help="Only this kind of error.")]
StageOption = Annotated[str | None, typer.Option("--stage", help="Only errors of this stage.")]
VideoOption = Annotated[str | None, typer.Option("--video-id", help="Only this video.")]
SinceOption = Annotated[
    datetime | None, typer.Option("--since", help="Only what failed since then, in UTC.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many, newest first.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per job.")]

app = typer.Typer(no_args_is_help=True, help="Jobs that did not succeed.")


@app.command("list", epilog="Example: streamer dead list --kind timeout --since 2026-01-31")
def list_letters(
    kind: KindOption = None,
    stage: StageOption = None,
    video_id: VideoOption = None,
    since: SinceOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    bootstrap: BootstrapOption = None,
    topic_prefix: PrefixOption = None,
    config: ConfigOption = None,
) -> None:
    """List jobs on videos.dead, newest first."""
    settings = _settings(config, bootstrap, topic_prefix)
    letters = _letters(settings, _filter(kind, stage, video_id, since), limit)
    if as_json:
        for letter in letters:
            typer.echo(json.dumps(_as_dict(letter), ensure_ascii=False))
    else:
        Console(highlight=False).print(_table(letters))


@app.command("show", epilog="Example: streamer dead show 3f1c…    streamer dead show 3f1c… --json")
def show(
    video_id: Annotated[str, typer.Argument(metavar="VIDEO_ID")],
    as_json: JsonOption = False,
    bootstrap: BootstrapOption = None,
    topic_prefix: PrefixOption = None,
    config: ConfigOption = None,
) -> None:
    """Show all that is known of a video's failures, newest first."""
    settings = _settings(config, bootstrap, topic_prefix)
    letters = _letters(settings, Filter(video_id=video_id), limit=None)
    if not letters:
        raise UsageError(f"no job of video {video_id} is dead; see `streamer dead list`")
    for letter in letters:
        shown = _as_dict(letter)
        if as_json:
            typer.echo(json.dumps(shown, ensure_ascii=False))
        else:
            typer.echo("\n".join(f"{name}: {value}" for name, value in shown.items()) + "\n")


@app.command(
    "replay",
    epilog="Example: streamer dead replay --kind timeout --dry-run    "
    "streamer dead replay --video-id 3f1c…",
)
def replay_letters(
    kind: KindOption = None,
    stage: StageOption = None,
    video_id: VideoOption = None,
    since: SinceOption = None,
    limit: LimitOption = 50,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be.")] = False,
    bootstrap: BootstrapOption = None,
    topic_prefix: PrefixOption = None,
    config: ConfigOption = None,
) -> None:
    """Put jobs back on the topic they came from, byte for byte, as new jobs.

    The dead letters stay: a job that is replayed twice runs twice.
    """
    from kafka.errors import KafkaError

    from streamer.kafka_clients import make_producer

    settings = _settings(config, bootstrap, topic_prefix)
    letters = _letters(settings, _filter(kind, stage, video_id, since), limit)
    targets = [(letter, _origin(letter, settings)) for letter in letters]
    producer = None if dry_run else make_producer(settings.kafka)
    for letter, topic in targets:
        if producer is not None:
            try:
                replay(producer, letter, topic)
            except KafkaError as error:
                raise Unavailable(f"{topic} does not take {letter.place}: {error}") from error
        typer.echo(f"{letter.video_id} {'would go' if dry_run else 'went'} to {topic}")
    if not targets:
        errors.print(f"no letter on {Topics(settings.kafka.topic_prefix).dead} matches")


def _origin(letter: DeadLetter, settings: Settings) -> str:
    """Where the job came from: one of this installation's topics of jobs."""
    topics = Topics(settings.kafka.topic_prefix)
    origin = letter.said("origin-topic")
    return origin if origin in (topics.videos, topics.priority) else topics.videos


def _filter(
    kind: str | None, stage: str | None, video_id: str | None, since: datetime | None
) -> Filter:
    return Filter(kind, stage, video_id, since.replace(tzinfo=UTC) if since else None)


def _letters(settings: Settings, wanted: Filter, limit: int | None) -> list[DeadLetter]:
    """The newest letters that match; no more than ``limit`` are held at a time."""
    from streamer.kafka_clients import make_consumer

    consumer = make_consumer(settings.kafka)
    try:
        found = filter(
            wanted.matches, read_dead_letters(consumer, Topics(settings.kafka.topic_prefix).dead)
        )
        if limit is None:
            return sorted(found, key=lambda letter: letter.time, reverse=True)
        return heapq.nlargest(limit, found, key=lambda letter: letter.time)
    finally:
        consumer.close()


def _settings(config: Path | None, bootstrap: str | None, topic_prefix: str | None) -> Settings:
    kafka = {"bootstrap": bootstrap, "topic_prefix": topic_prefix}
    return load_settings(config, {"kafka": kafka})


def _table(letters: list[DeadLetter]) -> Table:
    table = Table("failed", "video", "stage", "kind", "tries", "message")
    for letter in letters:
        table.add_row(
            f"{letter.time:%Y-%m-%d %H:%M:%S}",
            letter.video_id,
            *(letter.said(name) for name in ("stage", "kind", "attempt", "message")),
        )
    return table


def _as_dict(letter: DeadLetter) -> dict[str, str]:
    return {
        "place": letter.place,
        "failed": letter.time.isoformat(timespec="milliseconds"),
        "video_id": letter.video_id,
        **{name.removeprefix("streamer-"): value for name, value in letter.headers.items()},
        "job": letter.value.decode(errors="replace"),
    }
