"""Which decoder a video gets: DALI on a GPU where that can be, otherwise PyAV."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from streamer.config import DecodeSettings, Settings
from streamer.decode.card_use import this_process
from streamer.decode.dali import decode_dali
from streamer.decode.dali_errors import missing_package, no_gpu, old_driver
from streamer.decode.dali_pipeline import Device
from streamer.decode.dali_stream import DaliStream
from streamer.decode.gpu import Card, Machine, check_slots_fit, this_machine
from streamer.decode.interface import AVERAGED, SmallFormat
from streamer.decode.pyav import PyavStream
from streamer.decode.pyav import open_video as decode_pyav
from streamer.errors import JobRejected, StreamerError, WorkerBroken

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What decodes, and why, in a few words.

    Attributes:
        card: the GPU that decodes; None if the CPU does.
    """

    decoder: Literal["dali", "pyav"]
    reason: str
    card: Card | None = None

    @property
    def device(self) -> Device:
        """Where it is decoded."""
        return "cpu" if self.card is None else "gpu"


def choose(settings: DecodeSettings, machine: Machine) -> Choice:
    """What the settings mean on a machine.

    Raises:
        WorkerBroken: ``dali_missing``, ``gpu_missing`` or ``gpu_driver_old`` if it cannot do what
            they ask for.
    """
    lacking = _lacking(machine)
    if settings.decoder == "pyav":
        return Choice("pyav", "decode.decoder is pyav")
    if settings.decoder == "auto":
        if settings.device == "cpu":
            return Choice("pyav", "decode.device is cpu")
        return Choice("pyav", lacking.message) if lacking else _on_card(machine)
    if machine.dali is None:
        raise missing_package()
    if settings.device == "gpu" and lacking:
        raise lacking
    if settings.device == "cpu" or lacking:
        return Choice("dali", "decode.decoder is dali")
    return _on_card(machine)


def check_decoder(settings: Settings) -> None:
    """Refuse settings that this machine cannot decode by.

    Raises:
        WorkerBroken: as `choose`.
        UsageError: if more slots are to share the card than fit it.
    """
    card = choose(settings.decode, this_machine()).card
    if card is not None:
        check_slots_fit(settings.worker.slots, settings.decode.gpu_memory_mb, card)


def open_video(
    path: Path, settings: DecodeSettings, small: SmallFormat = AVERAGED
) -> PyavStream | DaliStream:
    """Open a file for one pass of decoding, and decode its first frames.

    With the decoder ``auto``, what DALI refuses is decoded by PyAV.

    Args:
        path: the file.
        settings: sampling, limits, and what decodes.
        small: what the small frames are to be like.

    Raises:
        JobRejected: ``not_a_video``, ``no_video_stream``, ``too_many_pixels`` or ``too_long``.
        JobFailed: ``truncated``, ``unreadable``, ``unsupported_codec`` or ``undecodable``; of DALI
            also ``dali_failed`` and ``gpu_fault``.
        Unavailable: ``gpu_out_of_memory``.
        WorkerBroken: ``dali_missing``, ``gpu_missing`` or ``gpu_driver_old``.
    """
    choice = _spared(choose(settings, this_machine()), settings)
    if choice.decoder == "pyav":
        if settings.decoder == "auto":
            _say_once(logging.INFO, choice.reason)
        return _by_pyav(path, settings, small, choice.reason)
    try:
        return decode_dali(path, settings, small, choice.card)
    except JobRejected:
        raise
    except StreamerError as refusal:
        if settings.decoder == "dali":
            raise
        _say_once(logging.WARNING, refusal.message)
        return _by_pyav(path, settings, small, refusal.message)


def _spared(choice: Choice, settings: DecodeSettings) -> Choice:
    """``choice``, or PyAV where the card had better be left alone."""
    reason = this_process.kept_off
    if choice.card is None or reason is None or settings.decoder == "dali":
        return choice
    return Choice("pyav", reason)


def _by_pyav(path: Path, settings: DecodeSettings, small: SmallFormat, reason: str) -> PyavStream:
    video = decode_pyav(path, settings, small)
    video.decoder_reason = reason.partition(";")[0]  # without the cure
    return video


def _on_card(machine: Machine) -> Choice:
    card = machine.cards[0]
    return Choice("dali", f"{card.name} and {machine.dali} are there", card)


def _lacking(machine: Machine) -> WorkerBroken | None:
    """Why DALI cannot decode on a GPU here, if so."""
    if machine.driver_cuda is None:
        return no_gpu("this machine has no GPU, or no driver for it")
    if not machine.cards:
        return no_gpu("nvidia-smi names no GPU")
    if not machine.has_nvdec:
        return no_gpu("the driver's decoding library libnvcuvid.so.1 is not there")
    if machine.dali is None or machine.dali_cuda is None:
        return missing_package()
    if machine.driver_cuda // 1000 < machine.dali_cuda:
        known = f"{machine.driver_cuda // 1000}.{machine.driver_cuda % 1000 // 10}"
        return old_driver(
            f"{machine.dali} needs CUDA {machine.dali_cuda}, the driver knows {known}"
        )
    return None


@cache
def _say_once(level: int, reason: str) -> None:
    """Log why PyAV decodes; once a process for each reason."""
    log.log(level, "decoding with PyAV: %s", reason)
