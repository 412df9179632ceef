"""How the camera moved between two frames: one similarity transform for the whole picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Of the longer side; corners are found well at this size, and a 4K frame costs no more than 360p.
LONG_SIDE = 320
FEATURES = 250
# Enlarged views match over a factor of 1.4 to the 4th, 3.8, in five levels instead of eight.
LEVELS, LEVEL_FACTOR = 5, 1.4
# RANSAC finds a transform in noise too; fewer agreeing matches than this are no evidence.
FEWEST_INLIERS, INLIER_SHARE = 12, 0.3
REPROJECTION_PIXELS = 2.0
# Changes of grey level below this are noise and compression.
CHANGED_LEVELS = 28.0
# Frames without texture are registered as unmoved if no more of them changes than this.
UNMOVED_SHARE = 0.02

Grey = NDArray[np.uint8]
Transform = NDArray[np.float64]
# Corners, float64 (N, 2), and their descriptors; without corners there are none.
Features = tuple[NDArray[np.float64], NDArray[np.uint8] | None]


@dataclass(frozen=True)
class PairMotion:
    """The camera's motion between two frames.

    Attributes:
        right, down: how far the camera turned, in picture widths.
        zoom: natural logarithm of the enlargement; positive moves in.
        changed: part of the picture, 0 to 1, that still differs once the camera's motion is undone.
    """

    right: float
    down: float
    zoom: float
    changed: float


def grey_views(frames: NDArray[np.uint8]) -> list[Grey]:
    """Frames, uint8 RGB ``(T, H, W, 3)``, as grey pictures whose longer side is 320."""
    scale = LONG_SIDE / max(frames.shape[1:3])
    height, width = (max(16, round(side * scale)) for side in frames.shape[1:3])
    return [
        np.asarray(
            cv2.cvtColor(
                cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA),
                cv2.COLOR_RGB2GRAY,
            ),
            dtype=np.uint8,
        )
        for frame in frames
    ]


def register(views: list[Grey]) -> list[PairMotion | None]:
    """The motion between each two neighbours, ``None`` where no common transform is found.

    ORB corners (Rublee et al. 2011), matched both ways, and a similarity fitted by RANSAC: it
    bears the large steps between frames that are seconds apart, and moving things in front.
    """
    orb = cv2.ORB.create(FEATURES, LEVEL_FACTOR, LEVELS, fastThreshold=10)
    features = [_features(orb, view) for view in views]
    return [
        _pair_motion(views[i], views[i + 1], _similarity(features[i], features[i + 1]))
        for i in range(len(views) - 1)
    ]


def _features(orb: cv2.ORB, view: Grey) -> Features:
    corners = orb.detect(view)
    if not corners:
        return np.empty((0, 2)), None
    corners, descriptors = orb.compute(view, corners)
    return np.array([corner.pt for corner in corners]), np.asarray(descriptors, dtype=np.uint8)


def _similarity(before: Features, after: Features) -> Transform | None:
    if before[1] is None or after[1] is None:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(before[1], after[1])
    if len(matches) < FEWEST_INLIERS:
        return None
    source = before[0][[match.queryIdx for match in matches]]
    target = after[0][[match.trainIdx for match in matches]]
    transform, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=REPROJECTION_PIXELS
    )
    if transform is None or inliers.sum() < max(FEWEST_INLIERS, INLIER_SHARE * len(matches)):
        return None
    return np.asarray(transform, dtype=np.float64)


def _pair_motion(before: Grey, after: Grey, transform: Transform | None) -> PairMotion | None:
    if transform is None:
        unmoved = np.eye(2, 3)
        changed = _changed(before, after, unmoved)
        return PairMotion(0.0, 0.0, 0.0, changed) if changed <= UNMOVED_SHARE else None
    height, width = before.shape
    centre = np.array([width / 2, height / 2])
    # The picture moves against the camera.
    right, down = (centre - transform @ [*centre, 1.0]) / width
    zoom = math.log(math.hypot(transform[0, 0], transform[1, 0]))
    return PairMotion(float(right), float(down), zoom, _changed(before, after, transform))


def _changed(before: Grey, after: Grey, transform: Transform) -> float:
    size = (before.shape[1], before.shape[0])
    moved = cv2.warpAffine(before, transform, size)
    seen = cv2.warpAffine(np.full_like(before, 255), transform, size, flags=cv2.INTER_NEAREST) > 0
    # Blurring forgives the last half pixel, which would light up every edge.
    difference = np.abs(
        cv2.GaussianBlur(moved, (0, 0), 2).astype(np.float32)
        - cv2.GaussianBlur(after, (0, 0), 2).astype(np.float32)
    )
    return float((difference[seen] > CHANGED_LEVELS).mean()) if seen.any() else 1.0
