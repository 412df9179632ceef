"""Where repositories are kept for commands that serve one by themselves."""

from __future__ import annotations

from pathlib import Path

from streamer.embedded.triton_files import default_cache_dir
from streamer.models.build import build_repository
from streamer.models.profile import load_profile


def cached_repository(profile: str) -> Path:
    """The repository of a shipped profile in the user's cache, built or renewed if need be.

    Raises:
        UsageError: if there is no such profile, or the ``models`` extra is missing.
    """
    return build_repository(load_profile(profile), default_cache_dir() / "models" / profile)
