"""Commands that need no installed server: ``run`` and ``demo``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from streamer.cli.display import Results, name_of, working
from streamer.cli.options import (
    AllowRootOption,
    BootstrapOption,
    ConfigOption,
    DecoderOption,
    DetectorOption,
    DeviceOption,
    LogDirOption,
    ModelsOption,
    PresetOption,
    TritonOption,
)
from streamer.cli.sources import jobs_of
from streamer.cli.starting import (
    DEFAULT_LOG_DIR,
    local_settings,
    start_worker,
    with_broker,
    with_triton,
)
from streamer.config import Settings
from streamer.errors import Unavailable
from streamer_client.records import Record, VideoJob

if TYPE_CHECKING:
    from streamer.worker.slots import SlotPool

DEFAULT_OUTPUT = Path("clips.jsonl")
POLL_SECONDS = 0.2

OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write one JSON object per record here.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    example = "Example: streamer run talk.mp4 https://example.org/a.mp4 -o clips.jsonl"
    app.command(epilog=example)(run)
    app.command(epilog="Examples: streamer demo    streamer demo talk.mp4")(demo)


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
    settings = local_settings(
        config, triton, None, allow_root, sources, detector, preset, decoder, device
    )
    _check_decoder(settings)
    with ExitStack() as services, _results(jobs, output) as results:
        if triton is None:
            settings = with_triton(services, settings, models, log_dir)
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
        settings = local_settings(config, triton, bootstrap, allow_root, chosen, detector, preset)
        if bootstrap is None:
            settings = with_broker(services, settings, None, log_dir)
        if triton is None:
            settings = with_triton(services, settings, models, log_dir)
        with _results(jobs_of(chosen), output) as results:
            _through_kafka(services, jobs_of(chosen), settings, results, log_dir)
    console = Console()
    results.tables(console)
    console.print(f"{results.speed}; JSON lines in {output}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if results.failed else 0)


def _check_decoder(settings: Settings) -> None:
    from streamer.decode.choosing import choose
    from streamer.decode.gpu import this_machine

    choose(settings.decode, this_machine())


def _process(jobs: list[VideoJob], settings: Settings, results: Results) -> None:
    """Run the jobs in a slot, so that one which ends its process costs itself alone."""
    from streamer.triton_clients import triton_tls
    from streamer.worker.slots import SlotPool

    triton_tls(settings.triton)  # A file that is missing is told here, not in a slot's trace.
    one_slot = settings.with_section("worker", slots=1)
    with closing(SlotPool[VideoJob](one_slot, on_replaced=lambda _: None)) as pool:
        for job in jobs:
            for record in _records(job, pool):
                results.add(record)


def _records(job: VideoJob, pool: SlotPool[VideoJob]) -> Iterator[Record]:
    while not pool.free:
        yield from (said.record for said in pool.records(POLL_SECONDS))
    pool.start(job, job)
    while pool.busy:
        yield from (said.record for said in pool.records(POLL_SECONDS))


def _through_kafka(
    services: ExitStack, jobs: list[VideoJob], settings: Settings, results: Results, log_dir: Path
) -> None:
    """Submit to a worker started here, and follow to the end."""
    from streamer.kafka_clients import make_consumer, make_producer
    from streamer_client.clips import Clips
    from streamer_client.jobs import Producer

    worker = start_worker(services, settings, log_dir)
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
