"""What DALI and CUDA raise, as failures of the service.

DALI raises ``RuntimeError`` for nearly everything, so here, and nowhere else, messages are read:
by the names of CUDA's status codes and by phrases of DALI 2.4's decoder.
"""

from __future__ import annotations

import re

from streamer.decode.opening import STAGE
from streamer.errors import JobFailed, StreamerError, Unavailable, WorkerBroken

GPU_FAULT = "gpu_fault"

_OUT_OF_MEMORY = re.compile(
    r"cudaErrorMemoryAllocation|CUDA_ERROR_OUT_OF_MEMORY|CUDA allocation failed"
    r"|Can't allocate \d+ bytes on device"
)
_OLD_DRIVER = re.compile(
    r"cudaErrorInsufficientDriver|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
    r"|cudaErrorSystemDriverMismatch|cudaErrorCompatNotSupportedOnDevice"
)
_NO_DRIVER = re.compile(
    r"while CUDA is not available|cudaErrorNoDevice|CUDA_ERROR_NO_DEVICE"
    r"|CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND|nvml error"  # no libnvcuvid, no libnvidia-ml
)
# After these CUDA does nothing more for the process (CUDA Runtime API, cudaError).
_FAULT = re.compile(
    r"(?:cudaError|CUDA_ERROR_)(?:IllegalAddress|ILLEGAL_ADDRESS|IllegalInstruction"
    r"|ILLEGAL_INSTRUCTION|InvalidAddressSpace|INVALID_ADDRESS_SPACE|InvalidPc|INVALID_PC"
    r"|LaunchFail\w*|LAUNCH_FAILED|LaunchTimeout|LAUNCH_TIMEOUT|MisalignedAddress"
    r"|MISALIGNED_ADDRESS|HardwareStackError|HARDWARE_STACK_ERROR|ECCUncorrectable"
    r"|ECC_UNCORRECTABLE|ContextIsDestroyed|CONTEXT_IS_DESTROYED)"
)
_UNSUPPORTED = re.compile(
    r"Codec configuration not supported|Unsupported codec|is not supported by the (?:CPU|GPU)"
    r"|Video is too (?:small|large)|number of input samples: 0|CUDA_ERROR_NOT_SUPPORTED"
    r"|Could not find suitable bit stream filter"
)
_CORRUPT = re.compile(
    r"Failed to send packet to decoder|Invalid data found when processing input"
    r"|has no valid timestamps|No valid frames found|No keyframes found"
    r"|CUDA_ERROR_INVALID_(?:IMAGE|SOURCE)"
)


def describe_dali(error: Exception) -> StreamerError:
    """The failure that an exception out of a DALI pipeline means, with its cure."""
    if isinstance(error, ImportError):
        return missing_package()
    text = str(error)
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(text):
        return Unavailable(
            "the GPU is out of memory; lower worker.slots, or raise decode.gpu_memory_mb so that "
            "fewer slots start on it",
            kind="gpu_out_of_memory",
            stage=STAGE,
        )
    if _NO_DRIVER.search(text):
        return no_gpu("DALI finds no GPU, or not all of its driver")
    if _OLD_DRIVER.search(text):
        return old_driver("the GPU's driver is older than the CUDA that DALI was built for")
    fault = _FAULT.search(text)
    if fault:
        return JobFailed(
            f"the GPU stopped working for this process ({fault[0]}); decode the video with "
            "--decoder pyav, and look for NVRM: Xid in the kernel's log",
            kind=GPU_FAULT,
            stage=STAGE,
        )
    if _UNSUPPORTED.search(text):
        return unsupported(f"DALI cannot decode this stream: {_cause(text)}")
    if _CORRUPT.search(text):
        return JobFailed(
            "DALI met packets that cannot be decoded; fetch the file again, or decode it with "
            "--decoder pyav, which goes on behind them",
            kind="undecodable",
            stage=STAGE,
        )
    return JobFailed(
        f"DALI failed: {_cause(text)}; decode with --decoder pyav",
        kind="dali_failed",
        stage=STAGE,
    )


def missing_package() -> WorkerBroken:
    """DALI is not installed."""
    return WorkerBroken(
        "DALI is not installed; install the extra gpu (CUDA 13) or gpu-cuda12, as in "
        "pip install 'streamer[gpu]', or set decode.decoder to auto or pyav",
        kind="dali_missing",
        stage=STAGE,
    )


def no_gpu(what: str) -> WorkerBroken:
    """There is no card or no driver; ``what`` says which."""
    return WorkerBroken(
        f"{what}; install NVIDIA's driver and give the container the card (--gpus all, driver "
        "capabilities compute,utility,video), or decode on the CPU: decode.device = auto or cpu",
        kind="gpu_missing",
        stage=STAGE,
    )


def old_driver(what: str) -> WorkerBroken:
    """The driver does not know the CUDA of the installed DALI; ``what`` says how."""
    return WorkerBroken(
        f"{what}; update the driver, or install the extra gpu-cuda12 instead of gpu",
        kind="gpu_driver_old",
        stage=STAGE,
    )


def unsupported(what: str) -> JobFailed:
    """DALI is not made for the stream; ``what`` says why."""
    return JobFailed(
        f"{what}; decode it with --decoder auto or pyav",
        kind="unsupported_codec",
        stage=STAGE,
    )


def _cause(text: str) -> str:
    """The line of DALI's report that says what went wrong, and the next if it announces one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    start = lines.index("encountered:") + 1 if "encountered:" in lines else 0
    said = lines[start : start + 2] or ["no reason given"]
    return " ".join(said[: 1 + said[0].endswith(":")])[:200]
