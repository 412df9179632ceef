"""What runs in a slot's own process: jobs in from a pipe, records out to it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection

from streamer.config import Settings
from streamer_client.records import VideoJob

ABANDONED = 3


class Ready:
    """The slot's first message: it has loaded and can take a job."""


def slot_main(pipe: Connection, settings: Settings, log_level: int) -> None:
    """Process jobs from ``pipe`` until it is closed."""
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s slot: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, args=(settings,), daemon=True).start()
    # Loaded here and not at the top: the supervisor shares this module but never decodes.
    from streamer.pipeline import run_job
    from streamer_client.triton import TritonModels

    with TritonModels(settings.triton.url, settings.triton.timeout_seconds) as models:
        pipe.send(Ready())
        with suppress(EOFError):
            while True:
                job: VideoJob = pipe.recv()
                for record in run_job(job, models, settings):
                    pipe.send(record)


def _exit_with_parent(settings: Settings) -> None:
    """A slot does not outlive its supervisor, however that ends, nor do its temporary files."""
    from streamer.acquire import remove_own

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        remove_own(settings.acquire.temp_dir)
        os._exit(ABANDONED)
