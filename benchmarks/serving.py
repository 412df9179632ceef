"""A Triton that serves checkpoints of a folder, for as long as they are measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from streamer.embedded.triton import EmbeddedTriton
from streamer.models.build import build_repository
from streamer.models.profile import load_profile
from streamer_client.triton import TritonModels

HEIGHT, WIDTH = 360, 640
PROFILE = """
summary = "Random weights."
[models.caption]
packages = ["streamer"]
[image_text]
checkpoint = "local-dir:clip"
[clip]
stitch_distance = 0.6
event_distance = 0.75
transition_distance = 1.0
still_distance = 0.15
repeat_distance = 0.3
[caption]
ranking = "clip"
"""
MOTION = """
[models.captioner_motion]
packages = ["streamer"]
"""

progress = Console(stderr=True, highlight=False)


@contextmanager
def serving(
    folder: Path, name: str = "clip-only", captioners: str = MOTION
) -> Iterator[TritonModels]:
    """Serve ``folder/clip`` and the captioners, tables of a profile, beside it."""
    profile = folder / f"{name}.toml"
    profile.write_text(PROFILE + captioners)
    repository = build_repository(load_profile(profile), folder / f"{name}-models")
    with (
        EmbeddedTriton(repository, log_dir=folder / f"{name}-logs") as server,
        TritonModels(server.url) as models,
    ):
        yield models
