"""What can go wrong for a client, as one tree.

::

    ClientError
    ├── BrokerUnavailable      no broker answers, or it did not take a job in time
    ├── WaitTimeout            a video did not end in time (also a ``TimeoutError``)
    ├── BadVideo               a local file of which no frame can be shown to the models
    └── ModelError             a call of a model, by the status code of gRPC
        ├── ModelUnavailable     worth another attempt later
        │   ├── ModelTimeout       the deadline passed
        │   └── ModelDied          its process has ended; the server has to be started again
        └── ModelRefused         the same call would fail again
            ├── ModelNotServed     the server has no such model
            ├── BadInput           the tensors do not fit the model
            └── AccessDenied       the server wants other credentials

``BadRecord`` (a ``ValueError``) is a message that is no job, or a record that cannot be read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tritonclient.utils import InferenceServerException


class ClientError(Exception):
    """Base of everything this library raises on its own account."""


class BrokerUnavailable(ClientError):
    """No Kafka broker answers, or it did not take a record in time."""


class WaitTimeout(ClientError, TimeoutError):
    """A video has no terminal record yet."""


class BadVideo(ClientError):
    """A local file, or a span of it, that gives no frame."""


class ModelError(ClientError):
    """A model call that failed; ``status`` is the gRPC status code's name."""

    def __init__(self, model: str, status: str, details: str):
        super().__init__(f"model {model!r}: {status}: {details}")
        self.model, self.status = model, status


class ModelUnavailable(ModelError):
    """The server is down, overloaded, too slow, or does not serve the model for now."""


class ModelTimeout(ModelUnavailable):
    """The answer did not come before the deadline."""


class ModelDied(ModelUnavailable):
    """The process that runs the model has ended; Triton goes on without it, and calls it ready."""


class ModelRefused(ModelError):
    """The request itself is at fault, or the model broke on it."""


class ModelNotServed(ModelRefused):
    """The server has no such model: serve a profile that has it."""


class BadInput(ModelRefused):
    """The tensors do not fit the model."""


class AccessDenied(ModelRefused):
    """The server does not let this client in."""


# What Triton's Python backend says, with the code INTERNAL, of a model without a process.
_DIED = re.compile(r"Stub process '.*' is not healthy")

# Status codes of gRPC; any that is not named here means that the same call would fail again.
_BY_STATUS: dict[str, type[ModelError]] = {
    "UNAVAILABLE": ModelUnavailable,
    "RESOURCE_EXHAUSTED": ModelUnavailable,
    "CANCELLED": ModelUnavailable,
    "ABORTED": ModelUnavailable,
    "DEADLINE_EXCEEDED": ModelTimeout,
    "NOT_FOUND": ModelNotServed,
    "INVALID_ARGUMENT": BadInput,
    "OUT_OF_RANGE": BadInput,
    "UNAUTHENTICATED": AccessDenied,
    "PERMISSION_DENIED": AccessDenied,
}


def model_error(model: str, error: InferenceServerException) -> ModelError:
    """What tritonclient raised for a call of ``model``, typed by its status code."""
    status, details = str(error.status()).removeprefix("StatusCode."), str(error.message())
    kind = ModelDied if _DIED.search(details) else _BY_STATUS.get(status, ModelRefused)
    return kind(model, status, details)
