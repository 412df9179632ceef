"""What runs in a slot's own process: jobs in from a pipe, records out to it."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from streamer.config import Settings
from streamer_client.records import Record, VideoDone, VideoJob

ABANDONED = 3
M_MMAP_THRESHOLD = -3  # malloc.h
LARGE_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True)
class Order:
    """What a slot is to do.

    Attributes:
        job: to be run.
        has_crashed: whether it ended the process that ran it before.
    """

    job: VideoJob
    has_crashed: bool


class Ready:
    """The slot's first message: it has loaded and can take a job."""


@dataclass(frozen=True)
class Retiring:
    """The slot's last message but one: it takes no more jobs, and ends behind the record to come.

    Attributes:
        reason: in a few words.
    """

    reason: str


def slot_main(pipe: Connection, settings: Settings, log_level: int) -> None:
    """Process jobs from ``pipe`` until it is closed or a fresh process should take over."""
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s slot: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _return_large_blocks()
    threading.Thread(target=_exit_with_parent, args=(settings,), daemon=True).start()
    # Loaded here and not at the top: the supervisor shares this module but never decodes.
    from streamer.decode.card_use import this_process
    from streamer.pipeline import run_job
    from streamer.triton_clients import triton_models
    from streamer.worker.wear import Wear

    wear = Wear(settings)
    with triton_models(settings.triton) as models:
        pipe.send(Ready())
        with suppress(EOFError):
            retiring = None
            while retiring is None:
                order: Order = pipe.recv()
                this_process.is_suspect = order.has_crashed
                done = _send_all_but_done(run_job(order.job, models, settings), pipe)
                retiring = wear.after_job(done.decoder)
                if retiring is not None:
                    pipe.send(Retiring(retiring))
                pipe.send(done)


def _send_all_but_done(records: Iterator[Record], pipe: Connection) -> VideoDone:
    """Send a job's records as they come; the last one, once the job has left the memory."""
    for record in records:
        if isinstance(record, VideoDone):
            done = record
        else:
            pipe.send(record)
    return done


def _return_large_blocks() -> None:
    """Let glibc give the frames of a clip back to the system when they are freed.

    By itself it raises its limit to the largest block it has seen freed, and from then on such
    blocks fragment the heap: the peak of a long video was 5 to 10 % above that of a short one.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc has it, musl has not
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def _exit_with_parent(settings: Settings) -> None:
    """A slot does not outlive its supervisor, however that ends, nor do its temporary files."""
    from streamer.acquire import remove_own

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        remove_own(settings.acquire.temp_dir)
        os._exit(ABANDONED)
