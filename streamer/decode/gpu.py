"""What of NVIDIA's a machine has: cards, driver, decoders, and which DALI is installed."""

from __future__ import annotations

import ctypes
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Self

from streamer.errors import UsageError

# Packages of DALI and the major version of the CUDA that each is built for.
DALI_PACKAGES = {"nvidia-dali-cuda130": 13, "nvidia-dali-cuda120": 12}
_QUERY = "name,driver_version,compute_cap,memory.total,memory.free"
_QUERY_SECONDS = 10.0
_NO_DEVICES = ("", "-1", "NoDevFiles")


@dataclass(frozen=True)
class Card:
    """A card as ``nvidia-smi`` describes it.

    Attributes:
        compute: compute capability, such as ``(9, 0)`` of Hopper.
        total_mb: memory, in MiB.
        free_mb: memory that nothing has taken, in MiB.
    """

    name: str
    driver: str
    compute: tuple[int, int]
    total_mb: int
    free_mb: int

    @classmethod
    def parse(cls, line: str) -> Self:
        """From a line of ``nvidia-smi --query-gpu``.

        Raises:
            ValueError: if it is not one.
        """
        name, driver, compute, total, free = (part.strip() for part in line.split(","))
        major, minor = compute.split(".")
        return cls(name, driver, (int(major), int(minor)), int(total), int(free))

    @property
    def codecs(self) -> tuple[str, ...]:
        """Codecs of its NVDEC that DALI takes (NVIDIA's table of video decode support).

        A100 and Hopper, which are made for computing, have no AV1, and before Ampere none has.
        """
        has_av1 = self.compute >= (8, 6) and self.compute[0] != 9
        return ("h264", "hevc", "vp8", "vp9", *(("av1",) if has_av1 else ()))


@dataclass(frozen=True)
class Machine:
    """What there is to decode with.

    Attributes:
        cards: empty if there are none or the driver does not answer.
        driver_cuda: the newest CUDA that the driver knows, as 1000 major + 10 minor; None without
            a driver.
        has_nvdec: whether the driver's decoding library can be loaded.
        dali: package and version of DALI, such as ``nvidia-dali-cuda130 2.4.0``; None without it.
        dali_cuda: major version of the CUDA that it is built for.
    """

    cards: tuple[Card, ...] = ()
    driver_cuda: int | None = None
    has_nvdec: bool = False
    dali: str | None = None
    dali_cuda: int | None = None


@cache
def this_machine() -> Machine:
    """Look once; takes some ten milliseconds, without a GPU one."""
    package = next(filter(_installed, DALI_PACKAGES), None)
    return Machine(
        cards=read_cards(),
        driver_cuda=_driver_cuda(),
        has_nvdec=_loads("libnvcuvid.so.1"),
        dali=f"{package} {metadata.version(package)}" if package else None,
        dali_cuda=DALI_PACKAGES[package] if package else None,
    )


def check_slots_fit(slots: int, slot_mb: int, card: Card) -> None:
    """Refuse more slots than the card has free memory for.

    Args:
        slots: processes that decode on it.
        slot_mb: what each is expected to take, in MiB.
        card: the card they share.

    Raises:
        UsageError: saying how many fit.
    """
    fit = card.free_mb // slot_mb
    if slots > fit:
        raise UsageError(
            f"worker.slots is {slots}, but {card.name} has {card.free_mb} MiB free, enough for "
            f"{fit} at {slot_mb} MiB each; lower worker.slots or decode.gpu_memory_mb, or set "
            "decode.decoder to pyav"
        )


def read_cards() -> tuple[Card, ...]:
    """What ``nvidia-smi`` says now of all cards, or of the first of ``CUDA_VISIBLE_DEVICES``.

    Numbers in it mean what they mean to CUDA where the cards are alike or ``CUDA_DEVICE_ORDER`` is
    ``PCI_BUS_ID``. Empty if there are none or it does not answer.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible in _NO_DEVICES:
        return ()
    query = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    # A part of a card, "MIG-…", has no line of its own.
    if visible is not None and not visible.startswith("MIG"):
        query.append(f"--id={visible.partition(',')[0]}")
    try:
        answer = subprocess.run(
            query, capture_output=True, text=True, timeout=_QUERY_SECONDS, check=True
        )
        return tuple(map(Card.parse, answer.stdout.splitlines()))
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def _driver_cuda() -> int | None:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int()
    return version.value if driver.cuDriverGetVersion(ctypes.byref(version)) == 0 else None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
