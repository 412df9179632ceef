"""Commands that need no installed server: ``run``, ``demo``, ``up``."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from streamer.cli.display import Results, name_of, working
from streamer.cli.options import (
    AllowRootOption,
    BootstrapOption,
    ConfigOption,
    Decoder,
    DecoderOption,
    Detector,
    DetectorOption,
    Device,
    DeviceOption,
    LogDirOption,
    ModelsOption,
    Preset,
    PresetOption,
    TritonOption,
)
from streamer.cli.sources import jobs_of, trusting_the_user
from streamer.config import Settings, load_settings
from streamer.errors import Unavailable, UsageError
from streamer_client.records import VideoJob

if TYPE_CHECKING:
    from streamer.embedded.process import GuardedProcess

DEFAULT_LOG_DIR = Path(tempfile.gettempdir()) / f"streamer-logs-{os.getuid()}"
DEFAULT_OUTPUT = Path("clips.jsonl")
POLL_SECONDS = 0.2
GRPC_PORT = 8001

OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write one JSON object per record here.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    example = "Example: streamer run talk.mp4 https://example.org/a.mp4 -o clips.jsonl"
    app.command(epilog=example)(run)
    app.command(epilog="Examples: streamer demo    streamer demo talk.mp4")(demo)
    app.command(epilog="Example: streamer up --broker-port 9092 --allow-root videos")(up)


def run(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE…", help="Files or URLs.")],
    output: OutputOption = None,
    triton: TritonOption = None,
    models: ModelsOption = None,
    detector: DetectorOption = None,
    preset: PresetOption = None,
    decoder: DecoderOption = None,
    device: DeviceOption = None,
    allow_root: AllowRootOption = None,
    log_dir: LogDirOption = DEFAULT_LOG_DIR,
    config: ConfigOption = None,
) -> None:
    """Caption files or URLs on this machine: a table, and JSON lines on request. No Kafka."""
    jobs = jobs_of(sources)
    settings = _settings(
        config, triton, None, allow_root, sources, detector, preset, decoder, device
    )
    _check_decoder(settings)
    with ExitStack() as services, _results(jobs, output) as results:
        if triton is None:
            settings = _serve_models(services, settings, models, log_dir)
        _process(jobs, settings, results)
    results.tables(Console())
    raise typer.Exit(1 if results.failed else 0)


def demo(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE…]", help="Files or URLs.")
    ] = None,
    output: OutputOption = DEFAULT_OUTPUT,
    triton: TritonOption = None,
    bootstrap: BootstrapOption = None,
    models: ModelsOption = None,
    detector: DetectorOption = None,
    preset: PresetOption = None,
    allow_root: AllowRootOption = None,
    log_dir: LogDirOption = DEFAULT_LOG_DIR,
    config: ConfigOption = None,
) -> None:
    """Start broker, Triton and worker here, caption SOURCE… (default: a sample reel), stop all."""
    with ExitStack() as services:
        chosen = sources or [_sample_reel(services)]
        settings = _settings(config, triton, bootstrap, allow_root, chosen, detector, preset)
        if bootstrap is None:
            settings = _serve_broker(services, settings, None, log_dir)
        if triton is None:
            settings = _serve_models(services, settings, models, log_dir)
        with _results(jobs_of(chosen), output) as results:
            _through_kafka(services, jobs_of(chosen), settings, results, log_dir)
    console = Console()
    results.tables(console)
    console.print(f"{results.speed}; JSON lines in {output}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if results.failed else 0)


def up(
    broker_port: Annotated[int, typer.Option(help="Port of the broker; 0 for a free one.")] = 9092,
    triton_port: Annotated[
        int | None,
        typer.Option(help="Port of Triton's gRPC; 0 for a free one. Default: 8001 if it is free."),
    ] = None,
    triton: TritonOption = None,
    bootstrap: BootstrapOption = None,
    models: ModelsOption = None,
    allow_root: AllowRootOption = None,
    log_dir: LogDirOption = DEFAULT_LOG_DIR,
    config: ConfigOption = None,
) -> None:
    """Start broker, Triton and worker here and keep them up until Ctrl-C; for development.

    Files below the current folder and addresses of this machine may be read.
    """
    grpc_port, roots = _grpc_port(triton_port), [*(allow_root or []), Path.cwd()]
    settings = _settings(config, triton, bootstrap, roots, [], None, None)
    with ExitStack() as services:
        if bootstrap is None:
            settings = _serve_broker(services, settings, broker_port or None, log_dir)
        if triton is None:
            settings = _serve_models(services, settings, models, log_dir, grpc_port)
        worker = _start_worker(services, settings, log_dir)
        Console(soft_wrap=True, highlight=False).print(_addresses(settings, log_dir))
        _until_interrupted(worker)


def _settings(
    config: Path | None,
    triton: str | None,
    bootstrap: str | None,
    allow_root: list[Path] | None,
    sources: list[str],
    detector: Detector | None,
    preset: Preset | None,
    decoder: Decoder | None = None,
    device: Device | None = None,
) -> Settings:
    flags: dict[str, dict[str, Any]] = {
        "triton": {"url": triton},
        "kafka": {"bootstrap": bootstrap},
        "split": {"detector": detector, "preset": preset},
        "decode": {"decoder": decoder, "device": device},
        "acquire": {"allowed_roots": allow_root or None},
    }
    return trusting_the_user(load_settings(config, flags), sources)


def _check_decoder(settings: Settings) -> None:
    from streamer.decode.choosing import choose
    from streamer.decode.gpu import this_machine

    choose(settings.decode, this_machine())


def _serve_models(
    services: ExitStack,
    settings: Settings,
    models: Path | None,
    log_dir: Path,
    port: int | None = None,
) -> Settings:
    """Start Triton; the settings that lead to it."""
    from streamer.embedded.services import local_triton
    from streamer.models.cache import cached_repository

    with working("preparing the models"):
        repository = models or cached_repository("offline")
    with working("starting Triton"):
        return services.enter_context(local_triton(settings, repository, log_dir, port))


def _grpc_port(chosen: int | None) -> int | None:
    """The port to try: as chosen, where a taken one is an error, or the usual one; None for any."""
    from streamer.embedded.ports import LOOPBACK, is_free

    if chosen and not is_free(chosen):
        raise UsageError(f"port {chosen} of {LOOPBACK} is taken: name another")
    wanted = GRPC_PORT if chosen is None else chosen
    return wanted if wanted and is_free(wanted) else None


def _serve_broker(
    services: ExitStack, settings: Settings, port: int | None, log_dir: Path
) -> Settings:
    """Start a broker; the settings that lead to it."""
    from streamer.embedded.services import local_broker

    with working("starting the broker"):
        return services.enter_context(local_broker(settings, port, log_dir))


def _start_worker(services: ExitStack, settings: Settings, log_dir: Path) -> GuardedProcess:
    from streamer.embedded.services import local_worker
    from streamer.kafka_clients import create_topics

    create_topics(settings.kafka)
    return services.enter_context(local_worker(settings, log_dir))


def _process(jobs: list[VideoJob], settings: Settings, results: Results) -> None:
    """Run the pipeline in this process."""
    from streamer.pipeline import run_job
    from streamer.triton_clients import triton_models

    with triton_models(settings.triton) as models:
        for job in jobs:
            for record in run_job(job, models, settings):
                results.add(record)


def _through_kafka(
    services: ExitStack, jobs: list[VideoJob], settings: Settings, results: Results, log_dir: Path
) -> None:
    """Submit to a worker started here, and follow to the end."""
    from streamer.kafka_clients import make_consumer, make_producer
    from streamer_client.clips import Clips
    from streamer_client.jobs import Producer

    worker = _start_worker(services, settings, log_dir)
    prefix, ids = settings.kafka.topic_prefix, {job.video_id for job in jobs}
    consumer = make_consumer(settings.kafka)
    clips = services.enter_context(Clips(consumer, topic_prefix=prefix, video_ids=ids))
    with Producer(make_producer(settings.kafka), topic_prefix=prefix) as producer:
        producer.submit_many(jobs)
    while not clips.complete:
        for record in clips.poll(POLL_SECONDS):
            results.add(record)
        if worker.poll() is not None:
            raise Unavailable(f"the worker ended; see {worker.log}: {worker.last_line()}")


def _results(jobs: list[VideoJob], output: Path | None) -> Results:
    return Results({job.video_id: name_of(job.url) for job in jobs}, output)


def _sample_reel(services: ExitStack) -> str:
    from streamer.acquire.workspace import workspace
    from streamer.sample_reel import make_sample_reel

    # A workspace is swept by a later worker, should this process be killed.
    folder = services.enter_context(workspace(Path(tempfile.gettempdir())))
    with working("making the sample reel from photographs"):
        make_sample_reel(folder / "sample-reel.mp4")
    return str(folder / "sample-reel.mp4")


def _addresses(settings: Settings, log_dir: Path) -> str:
    kafka, port = settings.kafka.bootstrap, settings.telemetry.port
    health = f"health http://localhost:{port}/healthz\n" if port else ""
    return (
        f"Kafka  {kafka}\nTriton {settings.triton.url}\n{health}logs   {log_dir}\n\n"
        f"streamer submit --bootstrap {kafka} https://example.org/a.mp4\n"
        f"streamer watch --bootstrap {kafka}\n\nCtrl-C stops all."
    )


def _until_interrupted(worker: GuardedProcess) -> None:
    """Wait for Ctrl-C or SIGTERM, or for the worker's end, which is an error."""
    # Shells start background jobs of scripts with SIGINT ignored; a service stops all the same.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        while worker.poll() is None:
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return
    raise Unavailable(f"the worker ended; see {worker.log}: {worker.last_line()}")
