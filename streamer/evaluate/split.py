"""What a splitter did to one video."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.evaluate.boundaries import Frames


@dataclass(frozen=True)
class ShotSeen:
    """A shot as the stitching met it.

    Attributes:
        frames: its frames.
        begins_with_cut: whether the detector saw a cut before it; else it is a piece of a long
            shot, or the first.
        inner_distance: between the embeddings near its two ends; ``None`` if not known.
        distance_before: between the embedding near the end of the shot before and its first.
    """

    frames: Frames
    begins_with_cut: bool = True
    inner_distance: float | None = None
    distance_before: float | None = None


@dataclass(frozen=True)
class Split:
    """Clips and shots of one video, in order, and what it took.

    Attributes:
        method: name of the splitter.
        clips: disjoint.
        shots: disjoint; those of the clips and those that were left out.
        shots_per_clip: how many shots each clip was made of, in the order of ``clips``.
        total: frames of the video.
        seconds: wall time of all of it, decoding included.
        frames_after: for each clip, in the order of ``clips``, how many frames beyond its end were
            decoded when it came out; empty where that was not watched.
    """

    method: str
    clips: tuple[Frames, ...]
    shots: tuple[ShotSeen, ...]
    shots_per_clip: tuple[int, ...]
    total: int
    seconds: float
    frames_after: tuple[int, ...] = ()
