"""What is tried again, and how long; errors by status code."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from tritonclient.grpc import InferResult
from tritonclient.grpc.service_pb2 import ModelInferResponse
from tritonclient.utils import InferenceServerException

from streamer_client import errors
from streamer_client.models import run
from streamer_client.requests import BatchLimit, Pause, RetryBudget, Send, attempts
from streamer_client.triton import Outputs, caption_result

REQUEST = BatchLimit("clip")
ANSWER = type("Answer", (), {"config": type("Config", (), {"max_batch_size": 8})})


class Server:
    """Answers each request with the next of ``outcomes``; time passes in pauses alone."""

    def __init__(self, *outcomes: str | None):
        self._outcomes = list(outcomes)
        self.asked = 0
        self.pauses: list[float] = []

    def __call__(self, step: Send | Pause) -> Any:
        if isinstance(step, Pause):
            self.pauses.append(step.seconds)
            return None
        self.asked += 1
        status = self._outcomes.pop(0)
        return InferenceServerException("no", f"StatusCode.{status}") if status else ANSWER


def ask(server: Server, budget: RetryBudget | None = None, seconds: float = 60.0) -> Any:
    return run(attempts(REQUEST, seconds, budget or RetryBudget()), server)


def test_an_answer_after_failures() -> None:
    server = Server("UNAVAILABLE", "UNAVAILABLE", None)
    assert ask(server) == 8
    assert [0.1 <= server.pauses[0] <= 0.2, 0.2 <= server.pauses[1] <= 0.4] == [True, True]


def test_five_attempts_at_most() -> None:
    server = Server(*["UNAVAILABLE"] * 9)
    with pytest.raises(errors.ModelUnavailable):
        ask(server)
    assert server.asked == 5


@pytest.mark.parametrize("status", ["DEADLINE_EXCEEDED", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"])
def test_other_failures_are_final(status: str) -> None:
    server = Server(status, None)
    with pytest.raises(errors.ModelError, match=status):
        ask(server)
    assert server.asked == 1


def test_no_attempt_after_the_deadline() -> None:
    server = Server("UNAVAILABLE", None)
    with pytest.raises(errors.ModelUnavailable):
        ask(server, seconds=0.05)
    assert server.asked == 1


def test_the_budget_is_shared_and_earned_back() -> None:
    budget = RetryBudget(tokens=1, earned=0.5)
    assert ask(Server("UNAVAILABLE", None), budget) == 8  # Spends one, earns a half.
    with pytest.raises(errors.ModelUnavailable):
        ask(Server("UNAVAILABLE", None), budget)
    assert ask(Server(None), budget) == 8
    assert ask(Server("UNAVAILABLE", None), budget) == 8


MAPPED = {
    "UNAVAILABLE": errors.ModelUnavailable,
    "RESOURCE_EXHAUSTED": errors.ModelUnavailable,
    "CANCELLED": errors.ModelUnavailable,
    "ABORTED": errors.ModelUnavailable,
    "DEADLINE_EXCEEDED": errors.ModelTimeout,
    "NOT_FOUND": errors.ModelNotServed,
    "INVALID_ARGUMENT": errors.BadInput,
    "OUT_OF_RANGE": errors.BadInput,
    "UNAUTHENTICATED": errors.AccessDenied,
    "PERMISSION_DENIED": errors.AccessDenied,
    "UNKNOWN": errors.ModelRefused,
    "ALREADY_EXISTS": errors.ModelRefused,
    "FAILED_PRECONDITION": errors.ModelRefused,
    "UNIMPLEMENTED": errors.ModelRefused,
    "INTERNAL": errors.ModelRefused,
    "DATA_LOSS": errors.ModelRefused,
}


def test_an_answer_without_tensors_is_none() -> None:
    answer = InferResult(ModelInferResponse(model_name="caption"))
    with pytest.raises(errors.ModelUnavailable, match=r"'caption'.* has no CAPTIONERS"):
        caption_result(Outputs(answer))


def test_every_status_code_has_its_error() -> None:
    assert {code.name for code in grpc.StatusCode} == MAPPED.keys() | {"OK"}
    for status, kind in MAPPED.items():
        error = errors.model_error("clip", InferenceServerException("no", f"StatusCode.{status}"))
        assert (type(error), error.status, error.model) == (kind, status, "clip")
