"""Checkpoints from the model hub, or from a folder."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import Unavailable, UsageError
from streamer.models.checkpoint import Checkpoint
from streamer.models.weights import SERVED, count_parameters


def fetch(model: Checkpoint) -> Path:
    """The folder of a checkpoint; fetched from the hub if it is not in the hub's cache yet.

    The hub's library shows the progress, resumes what was broken off, and keeps the files in its
    cache (``HF_HOME``).

    Raises:
        UsageError: if the checkpoint or its revision does not exist, or is of no use.
        Unavailable: if the hub does not answer.
    """
    folder = model.folder or _downloaded(model)
    count_parameters(folder)
    return folder


def _downloaded(model: Checkpoint) -> Path:
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repository = _repository(model.checkpoint)
    named = f"{repository} at revision {model.revision}"
    try:
        folder = snapshot_download(repository, revision=model.revision, allow_patterns=list(SERVED))
    except GatedRepoError as error:
        raise UsageError(
            f"{repository} asks for an account: accept its terms, set HF_TOKEN"
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise UsageError(f"the hub has no {named}: check both in the profile") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, httpx.HTTPError, OSError) as error:
        cause = " ".join(str(error).split())[:200]
        raise Unavailable(
            f"cannot fetch {named}: {cause}; try again, or give a folder as local-dir:PATH"
        ) from error
    return Path(folder)


def _repository(checkpoint: str) -> str:
    if ":" not in checkpoint:
        return checkpoint
    import open_clip

    name, _, tag = checkpoint.partition(":")
    entry = open_clip.get_pretrained_cfg(name, tag)
    if not entry:
        raise UsageError(f"open_clip knows no {name} pretrained on {tag}")
    if not entry.get("hf_hub"):
        raise UsageError(
            f"open_clip has {checkpoint} only as a pickle: take one with safetensors on the hub"
        )
    return str(entry["hf_hub"]).strip("/")
