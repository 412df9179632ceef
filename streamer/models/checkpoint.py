"""Checkpoints of real models: the tables of a profile that name them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LOCAL = "local-dir:"
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


class Table(BaseModel):
    """A table of a profile: frozen, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Checkpoint(Table):
    """Weights, and how they are served.

    Attributes:
        checkpoint: ``ORG/NAME`` on the model hub, or ``local-dir:PATH``.
        revision: the commit on the hub, 40 hex digits; a local folder has none.
        parameters_millions: size of the network, of a hub's checkpoint.
        download_megabytes: size of the hub's files.
        dtype: what the weights are served in.
        batch: most inputs of one call.
        instances: copies of the model that are served.
        device: ``auto`` is the GPU where there is one.
    """

    checkpoint: Annotated[str, Field(min_length=1)]
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    parameters_millions: Annotated[float, Field(gt=0)] | None = None
    download_megabytes: Annotated[float, Field(gt=0)] | None = None
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch: Annotated[int, Field(ge=1, le=256)] = 8
    instances: Annotated[int, Field(ge=1, le=16)] = 1
    device: Literal["auto", "cpu", "gpu"] = "auto"

    @model_validator(mode="after")
    def _is_pinned(self) -> Self:
        known = (self.revision, self.parameters_millions, self.download_megabytes)
        if self.folder is None and None in known:
            raise ValueError(
                f"{self.checkpoint} is on the hub: give its revision (the commit, 40 hex digits), "
                "parameters_millions and download_megabytes, or a folder as local-dir:PATH"
            )
        return self

    @property
    def served_revision(self) -> str:
        """Names the weights in records: the hub's commit, or ``local``."""
        name = self.checkpoint if self.folder is None else self.folder.name
        return f"{name}@{self.revision[:12] if self.revision else 'local'}"

    @property
    def folder(self) -> Path | None:
        """The local folder of the checkpoint, if it is one."""
        local = self.checkpoint.startswith(LOCAL)
        return Path(self.checkpoint.removeprefix(LOCAL)) if local else None


class ImageTextModel(Checkpoint):
    """The CLIP: an open_clip checkpoint (``open_clip_config.json`` and safetensors).

    Its ``checkpoint`` may also be an architecture and a pretrained tag of open_clip's table, as
    ``ViT-B-32:laion2b_s34b_b79k``.

    Attributes:
        runtime: what runs the towers; ``onnx`` holds less memory, on the CPU, in float32.
    """

    batch: Annotated[int, Field(ge=1, le=256)] = 64
    runtime: Literal["torch", "onnx"] = "torch"

    @model_validator(mode="after")
    def _runtime_serves_it(self) -> Self:
        if self.runtime == "onnx" and (self.dtype != "float32" or self.device == "gpu"):
            raise ValueError('runtime = "onnx" serves float32 on the CPU: take runtime = "torch"')
        return self


class CaptionerModel(Checkpoint):
    """A captioner that transformers' ``AutoModelForImageTextToText`` loads.

    Attributes:
        sees: whether it takes single pictures or a clip's frames with their order.
        frames: how many of the clip's frames it gets at most.
        prompt: its instruction; ``{text}`` in it is replaced by title, description, subtitles.
            Models that caption without one have none.
        max_new_tokens: the longest caption.
        deadline_seconds: after this long it has failed.
        threads: how many of the processor each instance computes with; without it, all. Where
            captioners share processors, shares that add up to them let none wait for another.
    """

    sees: Literal["picture", "video"]
    frames: Annotated[int, Field(ge=1, le=64)] = 1
    prompt: str = ""
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 40
    deadline_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
