"""Between Triton's requests and functions of arrays. Imports only inside the Python backend."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from streamer.models.numpy_abi import check_numpy

log = logging.getLogger(__name__)

Array = NDArray[Any]
Args = dict[str, str]
Describe = Callable[[NDArray[np.uint8]], tuple[str, float]]


def start(args: Args) -> Path:
    """The folder of the model's version, once the process is known to be fit to serve."""
    check_numpy()
    return Path(args["model_repository"]) / args["model_version"]


def parameter(args: Args, name: str) -> str:
    """A string parameter of the model's configuration."""
    return str(json.loads(args["model_config"])["parameters"][name]["string_value"])


def array(message: Any, name: str) -> Array:
    """An input of a request, or an output of a response, by name."""
    getter = getattr(pb_utils, f"get_{_side(message)}_tensor_by_name")
    return np.asarray(getter(message, name).as_numpy())


def texts(values: Sequence[Sequence[str]]) -> Array:
    """Rows of strings as the bytes array that a STRING tensor is made of."""
    return np.array([[value.encode() for value in row] for row in values], dtype=np.object_)


def answer_together(
    requests: Sequence[Any],
    name: str,
    compute: Callable[[Array], Sequence[Array]],
    outputs: Sequence[str],
) -> list[Any]:
    """Run all requests' rows of one input as one batch and hand each request its own rows."""
    parts = [array(request, name) for request in requests]
    ends = np.cumsum([len(part) for part in parts])[:-1]
    columns = [np.split(result, ends) for result in compute(np.concatenate(parts))]
    return [response(dict(zip(outputs, rows, strict=True))) for rows in zip(*columns, strict=True)]


def answer_each(requests: Sequence[Any], compute: Callable[[Any], dict[str, Array]]) -> list[Any]:
    """Answer each request by itself; one that fails does not fail those it was batched with."""
    return [_answer(compute, request) for request in requests]


def answer_captions(requests: Sequence[Any], describe: Describe) -> list[Any]:
    """Answer captioner requests: ``FRAMES`` to ``CAPTION`` and ``CONFIDENCE``, clip by clip."""

    def compute(request: Any) -> dict[str, Array]:
        answers = [describe(clip) for clip in array(request, "FRAMES")]
        return {
            "CAPTION": texts([[caption] for caption, _ in answers]),
            "CONFIDENCE": np.array([[score] for _, score in answers], dtype=np.float32),
        }

    return answer_each(requests, compute)


def _side(message: Any) -> str:
    return "output" if isinstance(message, pb_utils.InferenceResponse) else "input"


def _answer(compute: Callable[[Any], dict[str, Array]], request: Any) -> Any:
    try:
        return response(compute(request))
    except Exception as error:  # noqa: BLE001 - goes to the client and the log
        return failure(error)


def response(tensors: dict[str, Array]) -> Any:
    """A response of these tensors."""
    return pb_utils.InferenceResponse(
        [pb_utils.Tensor(name, np.ascontiguousarray(values)) for name, values in tensors.items()]
    )


def failure(error: Exception, code: int | None = None) -> Any:
    """A response that says what went wrong, with a status code of Triton's."""
    log.exception("a request failed", exc_info=error)
    return pb_utils.InferenceResponse(
        error=pb_utils.TritonError(
            f"{type(error).__name__}: {error}",
            pb_utils.TritonError.INTERNAL if code is None else code,
        )
    )
