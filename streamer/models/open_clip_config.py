"""The configuration of an open_clip checkpoint, without importing open_clip or torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from streamer.errors import UsageError

CONFIG = "open_clip_config.json"

Channels = tuple[float, float, float]


class _Section(BaseModel):
    """A part of the file; what is not named here is between open_clip and its network."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class VisionConfig(_Section):
    """The image tower."""

    image_size: int | tuple[int, int] = 224


class TextConfig(_Section):
    """The text tower."""

    context_length: int = 77


class ModelConfig(_Section):
    """The network.

    Attributes:
        embed_dim: the length of its embeddings.
    """

    embed_dim: int
    vision_cfg: VisionConfig
    text_cfg: TextConfig


class PreprocessConfig(_Section):
    """What is done to a picture; the defaults are open_clip's, which are OpenAI's CLIP's.

    Attributes:
        mean, std: of RGB values from 0 to 1.
        fill_color: of the borders that ``longest`` adds, 0 to 255.
    """

    mode: Literal["RGB"] = "RGB"
    mean: Channels = (0.48145466, 0.4578275, 0.40821073)
    std: Channels = (0.26862954, 0.26130258, 0.27577711)
    interpolation: Literal["bicubic", "bilinear", "random"] = "bicubic"
    resize_mode: Literal["shortest", "longest", "squash"] = "shortest"
    fill_color: int = 0


class OpenClipConfig(_Section):
    """``open_clip_config.json``."""

    model_cfg: ModelConfig
    preprocess_cfg: PreprocessConfig = PreprocessConfig()

    @field_validator("preprocess_cfg", mode="before")
    @classmethod
    def _null_is_the_default(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: each for key, each in value.items() if each is not None}

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the image tower's input.

        open_clip takes the network's, whatever the preprocessing says.
        """
        size = self.model_cfg.vision_cfg.image_size
        return (size, size) if isinstance(size, int) else size

    @property
    def embedding_size(self) -> int:
        """The length of an embedding."""
        return self.model_cfg.embed_dim

    @property
    def context_length(self) -> int:
        """Tokens of a text."""
        return self.model_cfg.text_cfg.context_length


def load_config(checkpoint: Path) -> OpenClipConfig:
    """Read a checkpoint's configuration.

    Raises:
        UsageError: if the file is missing, or is not what open_clip writes.
    """
    file = checkpoint / CONFIG
    try:
        return OpenClipConfig.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(
            f"cannot read {file} ({error.strerror}): give the folder of an open_clip checkpoint"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{file}: {key}: {first['msg']}: fetch the checkpoint again") from error
