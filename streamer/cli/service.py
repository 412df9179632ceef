"""Commands of the service and its users: ``worker``, ``submit``, ``watch``, ``topics`` …"""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from streamer.cli.display import clock, counted, json_line, name_of
from streamer.cli.options import (
    AllowRootOption,
    BootstrapOption,
    ConfigOption,
    DecoderOption,
    Delivery,
    DetectorOption,
    DeviceOption,
    PrefixOption,
    PresetOption,
    TritonOption,
)
from streamer.cli.serving import progress_bar
from streamer.cli.sources import jobs_of
from streamer.config import Settings, load_settings
from streamer_client.records import ClipBoundary, ClipCaption, JobOptions, Record, VideoDone
from streamer_client.topics import Topics

topics_app = typer.Typer(no_args_is_help=True, help="The topics of an installation.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        epilog="Example: streamer worker --bootstrap kafka:9092 --triton triton:8001    "
        "streamer worker --delivery exactly-once"
    )(worker)
    app.command(
        epilog="Example: streamer submit https://example.org/a.mp4    cat urls | streamer submit -"
    )(submit)
    app.command(epilog="Example: streamer watch    streamer watch --json 3f1c… 77ab…")(watch)
    app.command("config", epilog="Example: streamer config > streamer.toml")(show_config)


def worker(
    bootstrap: BootstrapOption = None,
    triton: TritonOption = None,
    group: Annotated[str | None, typer.Option(help="Consumer group.")] = None,
    slots: Annotated[int | None, typer.Option(help="Jobs at once.")] = None,
    decoder: DecoderOption = None,
    device: DeviceOption = None,
    topic_prefix: PrefixOption = None,
    allow_root: AllowRootOption = None,
    delivery: Annotated[
        Delivery | None, typer.Option(help="Promise to those who read the results.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C, then finish or hand back what runs.

    With telemetry.port set (STREAMER_TELEMETRY__PORT=9108) it serves /healthz, /readyz and
    /metrics there.
    """
    from streamer.acquire import sweep_stale
    from streamer.decode.choosing import check_decoder
    from streamer.telemetry import Telemetry
    from streamer.worker import make_worker

    flags: dict[str, dict[str, Any]] = {
        "kafka": {"bootstrap": bootstrap, "group": group, "topic_prefix": topic_prefix},
        "triton": {"url": triton},
        "worker": {"slots": slots, "delivery": delivery},
        "decode": {"decoder": decoder, "device": device},
        "acquire": {"allowed_roots": allow_root or None},
    }
    settings = load_settings(config, flags)
    check_decoder(settings)
    sweep_stale(settings.acquire.temp_dir)
    with Telemetry(settings) as telemetry:
        make_worker(settings, telemetry).run(_stop_on_signal())


def submit(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE…", help="URLs, files, or - for lines on stdin.")
    ],
    bootstrap: BootstrapOption = None,
    topic_prefix: PrefixOption = None,
    detector: DetectorOption = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
) -> None:
    """Put videos on the topic; prints the video_id of each."""
    from streamer.kafka_clients import make_producer
    from streamer_client.jobs import Producer

    settings = _kafka_settings(config, bootstrap, topic_prefix)
    jobs = jobs_of(sources, JobOptions.model_validate({"detector": detector, "preset": preset}))
    kafka = make_producer(settings.kafka)
    with (
        Producer(kafka, topic_prefix=settings.kafka.topic_prefix) as producer,
        progress_bar() as bar,
    ):
        task = bar.add_task("submitting", total=len(jobs))
        ids = producer.submit_many(jobs, progress=lambda count: bar.update(task, completed=count))
    for video_id in ids:
        typer.echo(video_id)


def watch(
    video_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VIDEO_ID…]", help="Only these, and end when all are done."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per record.")] = False,
    from_beginning: Annotated[
        bool, typer.Option(help="Also what is on the topics already.")
    ] = False,
    bootstrap: BootstrapOption = None,
    topic_prefix: PrefixOption = None,
    config: ConfigOption = None,
) -> None:
    """Follow clips, captions and ends as they happen, until Ctrl-C or all VIDEO_IDs are done.

    With VIDEO_IDs the exit code is 1 if one of them was not done.
    """
    from streamer.kafka_clients import make_consumer
    from streamer_client.clips import Clips

    settings = _kafka_settings(config, bootstrap, topic_prefix)
    wanted = set(video_ids or ())
    failed = False
    with Clips(
        make_consumer(settings.kafka),
        topic_prefix=settings.kafka.topic_prefix,
        video_ids=wanted,
        start="beginning" if from_beginning or wanted else "new",
    ) as clips:
        for record in clips:
            typer.echo(json_line(record) if as_json else _plain(record))
            failed = failed or (isinstance(record, VideoDone) and record.status != "done")
    raise typer.Exit(1 if failed else 0)


@topics_app.command("create", epilog="Example: streamer topics create --bootstrap kafka:9092")
def create(
    bootstrap: BootstrapOption = None,
    topic_prefix: PrefixOption = None,
    partitions: Annotated[int | None, typer.Option(help="Partitions per topic.")] = None,
    replication: Annotated[int | None, typer.Option(help="Copies of each partition.")] = None,
    config: ConfigOption = None,
) -> None:
    """Create the topics that are missing."""
    from streamer.kafka_clients import create_topics

    settings = _kafka_settings(
        config, bootstrap, topic_prefix, partitions=partitions, replication=replication
    )
    created = create_topics(settings.kafka)
    for name in Topics(settings.kafka.topic_prefix).all:
        typer.echo(f"{name}: {'created' if name in created else 'was there'}")


def show_config(config: ConfigOption = None) -> None:
    """Print the effective settings as TOML, secrets masked."""
    settings = load_settings(config)
    for section in type(settings).model_fields:
        typer.echo(f"[{section}]")
        for name, value in getattr(settings, section).model_dump(mode="json").items():
            shown = "# not set" if value is None else json.dumps(value)
            typer.echo(f"# {name} =" if value is None else f"{name} = {shown}")
        typer.echo("")


def _kafka_settings(
    config: Path | None, bootstrap: str | None, topic_prefix: str | None, **more: int | None
) -> Settings:
    kafka = {"bootstrap": bootstrap, "topic_prefix": topic_prefix, **more}
    return load_settings(config, {"kafka": kafka})


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _plain(record: Record) -> str:
    if isinstance(record, VideoDone):
        failure = f": {record.error.kind}: {record.error.message}" if record.error else ""
        name = name_of(record.url) or record.video_id
        return f"{name}: {record.status}, {counted(record.clips)}{failure}"
    if isinstance(record, ClipBoundary):
        span = f"{name_of(record.url)} [{clock(record.start)}, {clock(record.end)})"
        if isinstance(record, ClipCaption):
            return f"{span} {record.matching_score:.2f} {record.caption}"
        return f"{span} closed"
    return json_line(record)
