"""Single requests to Triton, and what is tried when one fails; no word on who sends them."""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tritonclient.utils import InferenceServerException

from streamer_client.errors import model_error
from streamer_client.triton import Array, Outputs, tensor

ATTEMPTS = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.0


class Request(Protocol):
    """Something to ask the server about a model.

    ``send`` takes tritonclient's blocking or asyncio client, whose methods have the same names, and
    returns the answer or a promise of it.
    """

    @property
    def model(self) -> str:
        """Whom it asks."""
        ...

    def send(self, client: Any, seconds: float) -> Any:
        """Ask; the answer must come within ``seconds``."""
        ...

    def read(self, answer: Any) -> Any:
        """What the answer says."""
        ...


@dataclass(frozen=True)
class Infer:
    """Run a model on input tensors by name; its answer is `Outputs`."""

    model: str
    inputs: Mapping[str, Array]

    def send(self, client: Any, seconds: float) -> Any:
        """Send the tensors."""
        tensors = [tensor(name, array) for name, array in self.inputs.items()]
        return client.infer(self.model, tensors, client_timeout=seconds)

    def read(self, answer: Any) -> Outputs:
        """The output tensors."""
        return Outputs(answer)


@dataclass(frozen=True)
class BatchLimit:
    """Ask for the largest batch of a model."""

    model: str

    def send(self, client: Any, seconds: float) -> Any:
        """Ask for the configuration."""
        return client.get_model_config(self.model, client_timeout=seconds)

    def read(self, answer: Any) -> int:
        """At least 1."""
        return max(1, int(answer.config.max_batch_size))


class RetryBudget:
    """Retries that are left: ten at first, each success earns a tenth of one back.

    So a server that is down or overloaded soon gets each request once instead of five times (retry
    throttling of gRPC's proposal A6).
    """

    def __init__(self, tokens: float = 10.0, earned: float = 0.1):
        self._most = self._tokens = tokens
        self._earned = earned

    def take(self) -> bool:
        """Whether one more retry is allowed; it is spent."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def earn(self) -> None:
        """Note a success."""
        self._tokens = min(self._most, self._tokens + self._earned)


@dataclass(frozen=True)
class Send:
    """A step: send the request; comes back with its answer, or with what tritonclient raised."""

    request: Request
    seconds: float


@dataclass(frozen=True)
class Pause:
    """A step: let time pass."""

    seconds: float


def attempts(
    request: Request, seconds: float, budget: RetryBudget
) -> Generator[Send | Pause, Any, Any]:
    """The steps of a request until its answer; whoever drives them sends and waits.

    Only ``UNAVAILABLE`` is tried again, up to five times within ``seconds``: a call that passed its
    deadline has no time left, and any other failure would repeat. Models keep nothing between
    calls, so asking twice does no harm.

    Raises:
        ModelError: the last failure.
    """
    deadline = time.monotonic() + seconds
    for pause in _pauses():
        answer = yield Send(request, max(deadline - time.monotonic(), 0.001))
        if not isinstance(answer, InferenceServerException):
            budget.earn()
            return request.read(answer)
        failure = model_error(request.model, answer)
        late = time.monotonic() + pause >= deadline
        if late or failure.status != "UNAVAILABLE" or not budget.take():
            raise failure from answer
        yield Pause(pause)
    raise AssertionError("the last pause is endless")


def _pauses() -> Generator[float, None, None]:
    """How long to wait after each attempt: doubling, jittered; for ever after the last."""
    for attempt in range(ATTEMPTS - 1):
        longest = min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS)
        yield longest * (0.5 + random.random() / 2)  # noqa: S311 - only spreads retries
    yield float("inf")
