"""Writes a model repository that Triton can serve as it is."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.errors import UsageError
from streamer.models.layout import ServedModel, served_models
from streamer.models.placing import CHECKPOINT, Placing
from streamer.models.profile import Profile
from streamer.models.tensor_sizes import write_sizes
from streamer.models.weights import served_files

MANIFEST = "manifest.json"
# What makes the weights: another way of exporting makes another repository.
_EXPORTERS = (
    "export.py",
    "image_tower.py",
    "open_clip_config.py",
    "open_clip_model.py",
    "open_clip_onnx.py",
    "tensor_sizes.py",
)
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".gitkeep")


def build_repository(profile: Profile, output: Path) -> Path:
    """Write the profile's models to ``output``, unless they are there already.

    The repository is built beside ``output`` and renamed into place, so that no server ever sees
    half of one.

    Returns:
        ``output``.

    Raises:
        UsageError: if ``output`` holds something else, or a model or package is missing.
        ExportMismatch: if exported weights differ from the original.
    """
    if is_current(profile, output):
        return output
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with _only_builder_in(output.parent):
            if not is_current(profile, output):
                _refuse_foreign(output)
                _replace(output, profile)
    except OSError as error:
        raise UsageError(f"cannot write the model repository {output}: {error}") from error
    return output


@contextmanager
def _only_builder_in(folder: Path) -> Iterator[None]:
    """Waits for other builds in the folder: commands that start together may all want one."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(output: Path, profile: Profile) -> None:
    fingerprint = _fingerprint(profile)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as scratch:
        new = Path(scratch) / "new"
        _write(profile, fingerprint, new)
        if output.exists():
            output.rename(Path(scratch) / "old")
        new.rename(output)


def is_current(profile: Profile, output: Path) -> bool:
    """Whether ``output`` holds what a build of the profile would write now.

    Raises:
        UsageError: if a model or package of the profile is missing.
    """
    try:
        manifest = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
        sizes = _sizes(output)
    except (OSError, ValueError):  # Also while another build puts its own in the place.
        return False
    return bool(
        isinstance(manifest, dict)
        and manifest.get("fingerprint") == _fingerprint(profile)
        and manifest.get("sizes") == sizes
    )


def find_model_repository() -> Path:
    """Where the models' code and configurations are: in a checkout, or in the installed package.

    Raises:
        UsageError: if they are in neither.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "model_repository", package.parent / "model_repository"):
        if (folder / "clip" / "config.pbtxt").is_file():
            return folder
    raise UsageError("the package has no model_repository: reinstall streamer")


def _refuse_foreign(output: Path) -> None:
    if output.is_dir() and any(output.iterdir()) and not (output / MANIFEST).is_file():
        raise UsageError(f"{output} holds something else than a model repository; choose another")
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is not a directory; choose another")


def _write(profile: Profile, fingerprint: str, folder: Path) -> None:
    folder.mkdir()
    placing = Placing()
    for name, model in served_models(profile).items():
        shutil.copytree(_source(model.source), folder / name, ignore=_IGNORED)
        (folder / name / "1").mkdir(exist_ok=True)  # ensembles need an empty version folder
        _configure(folder / name / "config.pbtxt", model)
        placing.place(model, folder / name / "1")
        if model.source.startswith("open_clip_"):
            write_sizes(folder / name / "config.pbtxt", folder / name / "1" / CHECKPOINT)
    manifest = {
        "profile": profile.name,
        "fingerprint": fingerprint,
        "weights": placing.hashes,
        "sizes": _sizes(folder),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _configure(config: Path, model: ServedModel) -> None:
    # A repeated field of a text protocol buffer may be continued anywhere. JSON strings are theirs.
    lines = [f"{line}\n" for line in model.settings]
    lines += [
        f"parameters {{ key: {json.dumps(key)} value {{ string_value: {json.dumps(value)} }} }}\n"
        for key, value in model.parameters.items()
    ]
    with config.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def _fingerprint(profile: Profile) -> str:
    """Of everything a build reads: profile, code, configurations, versions of the weights."""
    digest = hashlib.sha256(profile.model_dump_json().encode())
    for model in served_models(profile).values():
        digest.update(json.dumps([model.parameters, model.settings]).encode())
        for file in _files(_source(model.source)):
            digest.update(file.name.encode() + file.read_bytes())
        digest.update(_local_files(model).encode())
    for module in _EXPORTERS:
        digest.update((Path(__file__).parent / module).read_bytes())
    return digest.hexdigest()


def _local_files(model: ServedModel) -> str:
    """Names, sizes and times of a local checkpoint's files; what a commit holds never changes."""
    folder = model.checkpoint and model.checkpoint.folder
    stats = [(file.name, file.stat()) for file in served_files(folder)] if folder else []
    return json.dumps([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])


def _source(name: str) -> Path:
    source = find_model_repository() / name
    if not (source / "config.pbtxt").is_file():
        raise UsageError(f"models.{name}: there is no such model in {source.parent}")
    return source


def _files(folder: Path) -> Iterator[Path]:
    return (
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and file.name != MANIFEST
    )


def _sizes(folder: Path) -> dict[str, int]:
    return {str(file.relative_to(folder)): file.stat().st_size for file in _files(folder)}
