"""What the Triton at hand serves: model versions and the embedder's calibrated thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streamer_client.triton import TritonModels

Detector = Literal["auto", "content", "transnetv2"]


@dataclass(frozen=True)
class ServedModels:
    """Read from the models' configurations.

    Attributes:
        versions: name and version of each model a job will use; ``ranking`` is the ranking rule.
        calibrated: parameters of the ``clip`` model, the stitching thresholds among them.
        shots_on_gpu: whether the ``shots`` model runs on a GPU.
        weak_below: captions with a lower matching score are weak; None where none are.
    """

    versions: Mapping[str, str]
    calibrated: Mapping[str, str]
    shots_on_gpu: bool = False
    weak_below: float | None = None

    def detector(self, chosen: Detector) -> Detector:
        """The detector to use: on a GPU, ``auto`` has no reason to spare TransNetV2 a frame."""
        return "transnetv2" if chosen == "auto" and self.shots_on_gpu else chosen


def read_served(models: TritonModels, *, shots: bool, captions: bool) -> ServedModels:
    """Ask Triton for the models a job will use.

    Args:
        models: the connection.
        shots: whether the ``shots`` model is used.
        captions: whether the captioners are used.

    Raises:
        ModelUnavailable: if Triton does not answer.
        ModelRefused: if it does not serve one of the models.
    """
    parameters = {"clip": models.parameters("clip")}
    if shots:
        parameters["shots"] = models.parameters("shots")
    extra: dict[str, str] = {}
    weak_below: float | None = None
    if captions:
        caption = models.parameters("caption")
        for name in caption["captioners"].split(","):
            parameters[name] = models.parameters(name)
        parameters["caption"] = caption
        extra["ranking"] = caption["ranking"]
        if caption["ranking"] == "clip":
            parameters["clip_text"] = models.parameters("clip_text")
        weak_below = float(caption["weak_below"]) if "weak_below" in caption else None
    versions = {name: values.get("version", "unknown") for name, values in parameters.items()}
    on_gpu = shots and models.runs_on_gpu("shots")
    return ServedModels({**versions, **extra}, parameters["clip"], on_gpu, weak_below)
