"""How a clip moves, in a short sentence: measured, not guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.models.colours import light_and_colours
from streamer.models.registration import PairMotion, grey_views, register

# What is measured is true but names nothing. This is the confidence of a tag at the line between
# stated and hedged (`streamer.models.tags`): stated tags go before it, hedged ones do not.
CONFIDENCE = 0.6
# The view has to shift by this part of its width in all before the camera is said to move.
MOVED = 0.03
# Of the way that the camera goes, this part must lead somewhere; otherwise it goes to and fro.
DIRECTED = 0.5
# A second direction is named if it is at least this part of the first.
SECOND = 0.5
# Mean part of the picture that changes by itself.
LITTLE, MUCH = 0.02, 0.15


@dataclass(frozen=True)
class CameraMotion:
    """The camera's motion over a clip, in picture widths at the edge of the picture.

    Attributes:
        right, down, inward: net motion; negative is left, up, outward.
        path: length of the way there.
    """

    right: float
    down: float
    inward: float
    path: float


def describe(frames: NDArray[np.uint8]) -> tuple[str, float]:
    """A sentence on camera, movement, light and colours, and its constant confidence.

    Args:
        frames: uint8 RGB, shape ``(T, H, W, 3)``, T at least 1, up to some seconds apart.
    """
    scene = f"{light_and_colours(frames)} scene"
    scene = f"{'an' if scene[0] in 'aeiou' else 'a'} {scene}"
    if len(frames) == 1:
        return f"{scene[0].upper()}{scene[1:]}.", CONFIDENCE
    pairs = register(grey_views(frames))
    registered = [pair for pair in pairs if pair is not None]
    if 2 * len(registered) < len(pairs):
        return f"The view keeps changing: {scene}.", CONFIDENCE
    camera = camera_words(camera_motion(registered))
    return f"The camera {camera} {scene}{_movement(registered)}.", CONFIDENCE


def camera_motion(pairs: list[PairMotion]) -> CameraMotion:
    """The sum of the pairs' motions."""
    # Enlarging by 1 + z moves the left and right edges by z / 2 of the width.
    steps = np.array([(pair.right, pair.down, pair.zoom / 2) for pair in pairs])
    right, down, inward = (float(total) for total in steps.sum(axis=0))
    return CameraMotion(right, down, inward, float(np.linalg.norm(steps, axis=1).sum()))


def camera_words(motion: CameraMotion) -> str:
    """What the camera does, up to the object: ``pans right over``, ``holds still on``."""
    if motion.path < MOVED:
        return "holds still on"
    ways = {
        "pans right" if motion.right > 0 else "pans left": abs(motion.right),
        "tilts down" if motion.down > 0 else "tilts up": abs(motion.down),
        "moves in" if motion.inward > 0 else "moves out": abs(motion.inward),
    }
    first, second, _ = sorted(ways, key=lambda way: -ways[way])
    if ways[first] < max(MOVED, DIRECTED * motion.path):
        return "moves to and fro over"
    both = ways[second] >= max(MOVED, SECOND * ways[first])
    return f"{first}{f' and {second}' if both else ''} {'on' if first == 'moves in' else 'over'}"


def _movement(pairs: list[PairMotion]) -> str:
    changed = float(np.mean([pair.changed for pair in pairs]))
    if changed < LITTLE:
        return " in which nothing moves"
    return " with much movement" if changed > MUCH else " with some movement"
