"""Each way in which DALI and CUDA fail has a kind and a cure of its own."""

from __future__ import annotations

import pytest

from streamer.decode.dali_errors import describe_dali
from streamer.errors import JobFailed, StreamerError, Unavailable, WorkerBroken

REPORT = """Critical error in pipeline:
Error in GPU operator `nvidia.dali.fn.experimental.readers.video`,
which was used in the pipeline definition with the following traceback:

  File "pipeline.py", line 12, in graph
    frames = fn.experimental.readers.video(filenames=[path])

encountered:

{0}
Current pipeline object is no longer valid."""


@pytest.mark.parametrize(
    ("said", "type_", "kind"),
    [
        ("CUDA runtime API error cudaErrorMemoryAllocation (2):\nout of memory",
         Unavailable, "gpu_out_of_memory"),
        ("CUDA driver API error CUDA_ERROR_OUT_OF_MEMORY (2):\nout of memory",
         Unavailable, "gpu_out_of_memory"),
        ("CUDA runtime API error cudaErrorInsufficientDriver (35):\nCUDA driver version is "
         "insufficient for CUDA runtime version", WorkerBroken, "gpu_driver_old"),
        ("CUDA runtime API error cudaErrorNoDevice (100):\nno CUDA-capable device is detected",
         WorkerBroken, "gpu_missing"),
        ("You are trying to create a GPU DALI pipeline while CUDA is not available.",
         WorkerBroken, "gpu_missing"),
        ('Assert on "caps.bIsSupported" failed: Codec configuration not supported on this GPU. '
         "Codec: AV1, chroma format: YUV 4:2:0, bit depth: 8", JobFailed, "unsupported_codec"),
        ('Assert on "width >= caps.nMinWidth" failed: Video is too small in at least one '
         "dimension.", JobFailed, "unsupported_codec"),
        ('Assert on "num_shards_ <= Size()" failed: The number of input samples: 0, needs to be '
         "at least equal to the requested number of shards: 1.", JobFailed, "unsupported_codec"),
        ('Assert on "ret >= 0" failed: Failed to send packet to decoder: Invalid data found when '
         "processing input", JobFailed, "undecodable"),
        ("CUDA driver API error CUDA_ERROR_LAUNCH_FAILED (719)", JobFailed, "gpu_fault"),
        ("CUDA runtime API error cudaErrorIllegalAddress (700):\nan illegal memory access was "
         "encountered", JobFailed, "gpu_fault"),
        ("CUDA driver API error CUDA_ERROR_INVALID_VALUE (1)", JobFailed, "dali_failed"),
        ("CUDA driver API error CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND (302)",
         WorkerBroken, "gpu_missing"),
        ("nvml error (13): Local version of NVML doesn't implement this function",
         WorkerBroken, "gpu_missing"),
        ("Can't allocate 6221824 bytes on device 0.", Unavailable, "gpu_out_of_memory"),
    ],
)  # fmt: skip
def test_what_dali_says(said: str, type_: type[StreamerError], kind: str) -> None:
    error = describe_dali(RuntimeError(REPORT.format(said)))
    assert (type(error), error.kind, error.stage) == (type_, kind, "decode")
    assert len(error.message) < 400
    assert any(cure in error.message for cure in ("decode.", "--decoder", "driver"))


def test_types_come_before_texts() -> None:
    assert describe_dali(MemoryError()).kind == "gpu_out_of_memory"
    assert (
        describe_dali(ModuleNotFoundError("No module named 'nvidia.dali'")).kind == "dali_missing"
    )


def test_the_cause_is_picked_out_of_the_report() -> None:
    error = describe_dali(RuntimeError(REPORT.format("the moon is full")))
    assert error.message == "DALI failed: the moon is full; decode with --decoder pyav"
    error = describe_dali(RuntimeError(REPORT.format("the moon (1):\nit is full\nonce more")))
    assert error.message == "DALI failed: the moon (1): it is full; decode with --decoder pyav"
