"""Other splitters for the same files."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

from streamer.errors import UsageError
from streamer.evaluate.boundaries import Frames
from streamer.evaluate.split import ShotSeen, Split

_INSTALL = "pip install 'streamer[eval]'"


def load_scenedetect() -> ModuleType:
    """PySceneDetect.

    Raises:
        UsageError: if it cannot be imported, with the command that installs it.
    """
    try:
        return import_module("scenedetect")
    except ImportError as error:
        raise UsageError(
            f"pyscenedetect cannot be compared: {error}; install it with `{_INSTALL}`"
        ) from error


def split_with_pyscenedetect(path: Path, total: int) -> Split:
    """The scenes of PySceneDetect's ContentDetector as it comes.

    Args:
        path: the video.
        total: its number of frames.
    """
    scenedetect = load_scenedetect()
    start = time.perf_counter()
    scenes = scenedetect.detect(str(path), scenedetect.ContentDetector(), start_in_scene=True)
    seconds = time.perf_counter() - start
    clips = tuple(Frames(begin.frame_num, min(end.frame_num, total)) for begin, end in scenes)
    shots = tuple(ShotSeen(clip) for clip in clips)
    return Split("pyscenedetect", clips, shots, (1,) * len(clips), total, seconds)
