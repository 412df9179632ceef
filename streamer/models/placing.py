"""Puts weights into a repository: exported, or linked to where they were fetched."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Literal

from streamer.errors import UsageError
from streamer.models.checkpoint import Checkpoint
from streamer.models.fetch import fetch
from streamer.models.layout import ServedModel
from streamer.models.weights import served_files

NETWORK = "model.onnx"
CHECKPOINT = "checkpoint"


class Placing:
    """Places the weights of one build; what several models share is fetched and exported once.

    Attributes:
        hashes: SHA-256 of each checkpoint's files, by checkpoint and file.
    """

    def __init__(self) -> None:
        self.hashes: dict[str, dict[str, str]] = {}
        self._exported: dict[str, Path] = {}
        self._fetched: dict[str, Path] = {}

    def place(self, model: ServedModel, version: Path) -> None:
        """Put the model's weights into the folder of its version.

        Raises:
            UsageError: if the checkpoint is of no use, or a package is missing.
            Unavailable: if the hub does not answer.
        """
        if model.packaged_weights:
            self._export_packaged(model.packaged_weights, version / NETWORK)
        if model.checkpoint:
            self._link(model.checkpoint, version / CHECKPOINT)
        if model.exported_tower:
            _export_tower(model.exported_tower, version)

    def _export_packaged(self, weights: str, path: Path) -> None:
        if weights in self._exported:
            shutil.copy2(self._exported[weights], path)
            return
        # Imports torch, which whoever only asks whether a build is current should not wait for.
        try:
            from streamer.models.export import export_image_tower
        except ImportError as error:
            raise UsageError(f"{error.name} is not installed: install streamer[models]") from error
        export_image_tower(path)
        self._exported[weights] = path

    def _link(self, checkpoint: Checkpoint, folder: Path) -> None:
        name = checkpoint.served_revision
        if name not in self._fetched:
            self._fetched[name] = fetch(checkpoint)
            files = served_files(self._fetched[name])
            self.hashes[name] = {file.name: _sha256(file) for file in files}
        folder.mkdir()
        for file in served_files(self._fetched[name]):
            _link_or_copy(file.resolve(), folder / file.name)


def _export_tower(kind: Literal["image", "text"], version: Path) -> None:
    try:
        from streamer.models.open_clip_onnx import export
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed: install streamer[models,hub]") from error
    export(kind, version / CHECKPOINT, version / NETWORK)


def _link_or_copy(file: Path, target: Path) -> None:
    """A hard link costs no space, and bears that the hub's cache is emptied."""
    try:
        os.link(file, target)
    except OSError:  # Another file system.
        shutil.copy2(file, target)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
