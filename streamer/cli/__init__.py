"""The command line. Errors are one line; tracebacks only with ``--debug``."""

from __future__ import annotations

import logging
import sys

import typer

from streamer.cli import audit, dead, doctor, evaluate, local, models, service, up
from streamer.cli.display import errors
from streamer.errors import StreamerError, UsageError
from streamer_client.errors import ClientError
from streamer_client.records import BadRecord

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    help="Turns video URLs into captioned clips, over Kafka and Triton.",
    epilog="Start with: streamer demo    Then: streamer run VIDEO.mp4",
)
local.register(app)
up.register(app)
service.register(app)
doctor.register(app)
audit.register(app)
app.add_typer(models.app, name="models")
app.add_typer(evaluate.app, name="eval")
app.add_typer(service.topics_app, name="topics")
app.add_typer(dead.app, name="dead")


@app.callback()
def options(
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks and debug logs."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log what happens."),
) -> None:
    """Options of every command."""
    level = logging.DEBUG if debug else logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if not debug:
        # The clients log every reconnect; what matters of it reaches the user as an error.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)


def main() -> None:
    """Entry point. Exit codes: 0 all done, 1 some video or service failed, 2 wrong use."""
    try:
        app()
    except StreamerError as error:
        if "--debug" in sys.argv:
            raise
        errors.print(f"streamer: {error.message}")
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except (ClientError, BadRecord) as error:
        if "--debug" in sys.argv:
            raise
        errors.print(f"streamer: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("streamer: interrupted")
        sys.exit(130)
