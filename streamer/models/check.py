"""Runs a fixed input through every model that a Triton serves."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype, triton_to_np_dtype

from streamer.errors import Unavailable

RUNS = 5
TIMEOUT_SECONDS = 60.0
# Sizes for the open dimensions of a picture, and of a clip of pictures.
_OPEN_SIZES = {3: (360, 640, 3), 4: (8, 360, 640, 3)}

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class CheckResult:
    """What a model did with a fixed input.

    Attributes:
        version: the ``version`` parameter of its configuration, or the empty string.
        batch: its largest batch, 0 if it does not batch.
        inputs, outputs: shape of each tensor of the call, the batch of 1 included.
        latency_ms: median over several calls, after one to warm up.
        error: what the server said, in place of outputs and a latency.
    """

    model: str
    version: str
    batch: int
    inputs: Shapes
    outputs: Shapes
    latency_ms: float | None
    error: str | None = None


def check_models(url: str, runs: int = RUNS) -> list[CheckResult]:
    """Check each model that is ready, by name.

    Args:
        url: ``host:port`` of Triton's gRPC endpoint.
        runs: timed calls for each model.

    Raises:
        Unavailable: if the server does not answer.
    """
    with triton.InferenceServerClient(url) as client:
        try:
            index = client.get_model_repository_index(client_timeout=TIMEOUT_SECONDS)
        except InferenceServerException as error:
            raise Unavailable(f"no Triton answers at {url}: {error.message()}") from error
        ready = sorted({model.name for model in index.models if model.state == "READY"})
        return [_check(client, model, runs) for model in ready]


def _check(client: Any, model: str, runs: int) -> CheckResult:
    try:
        config = client.get_model_config(model, client_timeout=TIMEOUT_SECONDS).config
        inputs = _inputs(client.get_model_metadata(model, client_timeout=TIMEOUT_SECONDS), config)
    except InferenceServerException as error:
        return CheckResult(model, "", 0, {}, {}, None, error.message())
    version = config.parameters["version"].string_value if "version" in config.parameters else ""
    shapes = {name: array.shape for name, array in inputs.items()}
    try:
        outputs, latency = _timed(client, model, inputs, runs)
    except InferenceServerException as error:
        return CheckResult(model, version, config.max_batch_size, shapes, {}, None, error.message())
    return CheckResult(model, version, config.max_batch_size, shapes, outputs, latency)


def _inputs(metadata: Any, config: Any) -> dict[str, NDArray[Any]]:
    batched = 1 if config.max_batch_size else 0
    return {
        each.name: _fixed(each.datatype, tuple(each.shape)[batched:], (1,) * batched)
        for each in metadata.inputs
    }


def _fixed(datatype: str, shape: tuple[int, ...], batch: tuple[int, ...]) -> NDArray[Any]:
    """A tensor that is the same in every check; open dimensions get a usual size."""
    sizes = _OPEN_SIZES.get(len(shape), (1,) * len(shape))
    full = batch + tuple(
        size if size > 0 else usual for size, usual in zip(shape, sizes, strict=True)
    )
    if datatype == "BYTES":
        return np.full(full, b"a clip", dtype=np.object_)
    noise = np.random.default_rng(0).integers(0, 256, full)
    return noise.astype(triton_to_np_dtype(datatype))


def _timed(
    client: Any, model: str, inputs: dict[str, NDArray[Any]], runs: int
) -> tuple[Shapes, float]:
    tensors = [_tensor(name, array) for name, array in inputs.items()]
    result = client.infer(model, tensors, client_timeout=TIMEOUT_SECONDS)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = client.infer(model, tensors, client_timeout=TIMEOUT_SECONDS)
        times.append(time.perf_counter() - start)
    outputs = {each.name: tuple(each.shape) for each in result.get_response().outputs}
    return outputs, statistics.median(times) * 1000


def _tensor(name: str, array: NDArray[Any]) -> Any:
    tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(array)
    return tensor
