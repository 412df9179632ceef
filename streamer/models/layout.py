"""What a repository holds for a profile: each model's code, parameters and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from streamer.models.checkpoint import LOCAL, CaptionerModel, Checkpoint, ImageTextModel
from streamer.models.profile import CAPTIONER, Profile

# The ensemble has to know how many images a step takes at once.
_PACKAGED_SETTINGS = {"clip": ("max_batch_size: 64",)}
_KINDS = {"auto": "KIND_AUTO", "cpu": "KIND_CPU", "gpu": "KIND_GPU"}
# The steps of the ensembles `clip` and `clip_text`: the name in the repository, and whose code.
_OPEN_CLIP_STEPS = {
    "clip_preprocess": "open_clip_preprocess",
    "clip_image": "open_clip_image",
    "clip_tokenizer": "open_clip_tokenizer",
    "clip_text_tower": "open_clip_text",
}

_TOWERS: Mapping[str, Literal["image", "text"]] = {"clip_image": "image", "clip_text_tower": "text"}


@dataclass(frozen=True)
class ServedModel:
    """One model of a repository.

    Attributes:
        source: the folder of ``model_repository`` with its code and configuration.
        parameters: what the worker and the model itself read from its configuration.
        settings: further lines of its configuration.
        packaged_weights: those exported from a package.
        checkpoint: what else it loads.
        exported_tower: which tower of the checkpoint is exported to ONNX, if one is.
    """

    source: str
    parameters: Mapping[str, str]
    settings: tuple[str, ...] = ()
    packaged_weights: str | None = None
    checkpoint: Checkpoint | None = None
    exported_tower: Literal["image", "text"] | None = None


def served_models(profile: Profile) -> dict[str, ServedModel]:
    """The models of the profile's repository, by name.

    Raises:
        UsageError: if a package of one is not installed.
    """
    models = {
        name: ServedModel(
            name,
            {"version": each.version},
            _PACKAGED_SETTINGS.get(name, ()),
            packaged_weights=each.weights,
        )
        for name, each in profile.models.items()
    }
    if profile.image_text:
        models |= _open_clip(profile.image_text)
    models |= {CAPTIONER + name: _captioner(each) for name, each in profile.captioners.items()}
    models["clip"] = _with(models["clip"], _distances(profile))
    models["caption"] = _with(models["caption"], _ranking(profile))
    return models


def _open_clip(model: ImageTextModel) -> dict[str, ServedModel]:
    version = {"version": model.served_revision}
    runs = version | {"dtype": model.dtype, "runtime": model.runtime}
    batch = f"max_batch_size: {model.batch}"
    steps = {
        name: ServedModel(
            source,
            runs,
            (batch, _instances(model)),
            checkpoint=model,
            exported_tower=_TOWERS.get(name) if model.runtime == "onnx" else None,
        )
        for name, source in _OPEN_CLIP_STEPS.items()
    }
    ensembles = {name: ServedModel(name, version, (batch,)) for name in ("clip", "clip_text")}
    return ensembles | steps


def _captioner(model: CaptionerModel) -> ServedModel:
    served = model.model_copy(update={"checkpoint": f"{LOCAL}checkpoint", "revision": None})
    parameters = {"version": model.served_revision, "options": served.model_dump_json()}
    settings = (f"max_batch_size: {model.batch}", _instances(model))
    return ServedModel("captioner_hub", parameters, settings, checkpoint=model)


def _instances(model: Checkpoint) -> str:
    return f"instance_group {{ kind: {_KINDS[model.device]} count: {model.instances} }}"


def _distances(profile: Profile) -> dict[str, str]:
    return {name: str(value) for name, value in profile.clip.model_dump().items()}


def _ranking(profile: Profile) -> dict[str, str]:
    weak = profile.caption.weak_below
    return {
        "ranking": profile.caption.ranking,
        "captioners": ",".join(profile.captioner_names),
        "deadline_seconds": f"{profile.caption.deadline_seconds:g}",
    } | ({} if weak is None else {"weak_below": f"{weak:g}"})


def _with(model: ServedModel, parameters: Mapping[str, str]) -> ServedModel:
    return replace(model, parameters={**model.parameters, **parameters})
