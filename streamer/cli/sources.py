"""Sources as people type them: files, URLs, lines on standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from streamer.config import Settings
from streamer.errors import UsageError
from streamer_client.records import BadRecord, JobOptions, VideoJob

LOOPBACK = ("127.0.0.0/8", "::1/128")


def jobs_of(sources: Iterable[str], options: JobOptions | None = None) -> list[VideoJob]:
    """A job per source; ``-`` stands for the lines of standard input, each a URL or a JSON job.

    Raises:
        UsageError: for a line that is no job.
    """
    return [job for source in sources for job in _jobs(source, options or JobOptions())]


def _jobs(source: str, options: JobOptions) -> Iterator[VideoJob]:
    if source != "-":
        yield VideoJob(url=url_of(source), options=options)
        return
    for number, line in enumerate(sys.stdin, start=1):
        if line.strip():
            try:
                yield VideoJob.from_bytes(line.encode())
            except BadRecord as error:
                raise UsageError(f"line {number} of standard input: {error}") from error


def url_of(source: str) -> str:
    """The URL of a source; a path becomes an absolute ``file:`` URL, existing or not."""
    return source if "://" in source else Path(os.path.abspath(source)).as_uri()  # noqa: PTH100


def trusting_the_user(settings: Settings, sources: Iterable[str]) -> Settings:
    """Settings for a command on one's own machine.

    Loopback addresses and the very files named on the command line are allowed, unless the
    settings already say what is.
    """
    acquire = settings.acquire
    given = acquire.model_fields_set
    update: dict[str, object] = {}
    if "allowed_networks" not in given:
        update["allowed_networks"] = LOOPBACK
    if "allowed_roots" not in given:
        update["allowed_roots"] = [Path(s).resolve() for s in sources if "://" not in s]
    values = {**acquire.model_dump(), **update}
    return settings.model_copy(update={"acquire": type(acquire).model_validate(values)})
