"""The four models by name, over gRPC: their tensors, and requests that are promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from streamer_client.connection import Tls, channel_options
from streamer_client.errors import ModelUnavailable, model_error
from streamer_client.records import Candidate

T = TypeVar("T")
Array = NDArray[Any]


@dataclass(frozen=True)
class ShotScores:
    """What ``shots`` says of each frame of a window: probabilities, float32 ``(N,)``.

    Attributes:
        cut: that the frame ends a shot.
        transition: that it lies in a transition.
    """

    cut: NDArray[np.float32]
    transition: NDArray[np.float32]

    def within(self, start: int, end: int) -> ShotScores:
        """The scores of the frames ``[start, end)`` of the window."""
        return ShotScores(self.cut[start:end], self.transition[start:end])


@dataclass(frozen=True)
class CaptionResult:
    """What ``caption`` says of one clip."""

    caption: str
    matching_score: float
    candidates: tuple[Candidate, ...]


class TritonModels:
    """A connection to the models of one Triton.

    Args:
        url: ``host:port`` of Triton's gRPC endpoint.
        timeout_seconds: deadline of each request.
    """

    def __init__(self, url: str, timeout_seconds: float = 60.0, tls: Tls | None = None):
        self._url = url
        self._timeout = timeout_seconds
        self._client = triton.InferenceServerClient(url, **channel_options(tls))

    def detect_shots(self, window: Array) -> Future[ShotScores]:
        """Promise the scores of each frame of a window.

        Args:
            window: uint8 RGB ``(100, 27, 48, 3)``.
        """
        return self._infer("shots", {"FRAMES": window[None]}, _shot_scores)

    def embed_images(self, images: Array) -> Future[NDArray[np.float32]]:
        """Promise unit embeddings, float32 ``(N, D)``, of uint8 RGB images ``(N, H, W, 3)``."""
        return self._infer("clip", {"IMAGE": images}, lambda out: out["EMBEDDING"])

    def caption(self, frames: Array, text: str = "") -> Future[CaptionResult]:
        """Promise the best caption of a clip.

        Args:
            frames: uint8 RGB ``(T, H, W, 3)``, in order.
            text: title, description, subtitles; may be empty.
        """
        return self._infer("caption", caption_inputs(frames, text), caption_result)

    def parameters(self, model: str) -> dict[str, str]:
        """The string parameters in the served model's configuration.

        Raises:
            ModelUnavailable: if the server does not answer.
            ModelRefused: if it does not serve the model.
        """
        config = self._config(model)
        return {key: value.string_value for key, value in config.parameters.items()}

    def runs_on_gpu(self, model: str) -> bool:
        """Whether the served model has its instances on GPUs.

        Raises:
            ModelUnavailable: if the server does not answer.
            ModelRefused: if it does not serve the model.
        """
        groups = self._config(model).instance_group
        return any(group.kind == group.KIND_GPU for group in groups)

    def close(self) -> None:
        """Close the connection; requests in flight are cancelled."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _config(self, model: str) -> Any:
        try:
            response = self._client.get_model_config(model, client_timeout=self._timeout)
        except InferenceServerException as error:
            raise model_error(model, error) from error
        return response.config

    def _infer(
        self, model: str, inputs: Mapping[str, Array], read: Callable[[Outputs], T]
    ) -> Future[T]:
        future: Future[T] = Future()

        def settle(result: Any, error: InferenceServerException | None) -> None:
            try:
                if error is not None:
                    raise model_error(model, error)
                future.set_result(read(Outputs(result)))
            except Exception as failure:  # noqa: BLE001 - handed to the caller by the future
                future.set_exception(failure)

        tensors = [tensor(name, array) for name, array in inputs.items()]
        self._client.async_infer(model, tensors, settle, client_timeout=self._timeout)
        return future


class Outputs:
    """Output tensors by name.

    A server that is going down may answer without them, which is as good as no answer: asking for
    one raises ``ModelUnavailable``.
    """

    def __init__(self, result: Any):
        self._result = result

    def __getitem__(self, name: str) -> Array:
        array: Array | None = self._result.as_numpy(name)
        if array is None:
            model = self._result.get_response().model_name
            raise ModelUnavailable(model, "OK", f"the answer has no {name}")
        return array


def tensor(name: str, array: Array) -> Any:
    """An input tensor with the contents of ``array``."""
    made = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    made.set_data_from_numpy(np.ascontiguousarray(array))
    return made


def texts(words: Sequence[str]) -> Array:
    """Texts as a batch of STRING tensors ``(N, 1)``."""
    return np.array([[each.encode()] for each in words], dtype=np.object_)


def caption_inputs(frames: Array, text: str) -> dict[str, Array]:
    """What ``caption`` is asked of one clip: uint8 RGB ``(T, H, W, 3)``, and its text."""
    return {"FRAMES": frames[None], "TEXT": texts([text])}


def _shot_scores(out: Outputs) -> ShotScores:
    return ShotScores(out["CUT"][0], out["TRANSITION"][0])


def caption_result(out: Outputs) -> CaptionResult:
    """What ``caption`` answered for one clip."""
    names, captions, errors = (
        [value.decode() for value in out[name][0]]
        for name in ("CAPTIONERS", "CANDIDATES", "ERRORS")
    )
    scores = [float(score) for score in out["SCORES"][0]]
    candidates = tuple(
        Candidate(captioner=name, caption=caption, score=score, error=error or None)
        for name, caption, score, error in zip(names, captions, scores, errors, strict=True)
    )
    return CaptionResult(
        out["CAPTION"][0, 0].decode(), float(out["MATCHING_SCORE"][0, 0]), candidates
    )
