"""Camera motion, light and colours are what the synthetic clips were made with."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.models.colours import light_and_colours
from streamer.models.motion import CONFIDENCE, camera_motion, describe
from streamer.models.registration import grey_views, register

from .conftest import Photographs

HEIGHT, WIDTH, FRAMES = 180, 320, 8
Clip = NDArray[np.uint8]
Camera = tuple[float, float, float]


def filmed(photograph: Clip, end: Camera, frames: int = FRAMES) -> Clip:
    """A clip by a camera that moves evenly over a photograph.

    ``end`` is where it gets to: right and down in picture widths, and the enlargement.
    """
    canvas = cv2.resize(photograph, (640, 480), interpolation=cv2.INTER_AREA)
    views = []
    for part in np.linspace(0, 1, frames):
        enlarged = end[2] ** part
        across, down = (320 + (part - 0.5) * WIDTH * end[0], 240 + (part - 0.5) * WIDTH * end[1])
        to_view = np.array(
            [
                [enlarged, 0, WIDTH / 2 - enlarged * across],
                [0, enlarged, HEIGHT / 2 - enlarged * down],
            ]
        )
        views.append(cv2.warpAffine(canvas, to_view, (WIDTH, HEIGHT)))
    return np.stack(views)


@pytest.mark.parametrize("photograph", ["astronaut", "cat", "coffee", "rocket", "photographer"])
@pytest.mark.parametrize(
    ("end", "words"),
    [
        ((0.4, 0, 1), "The camera pans right over "),
        ((-0.4, 0, 1), "The camera pans left over "),
        ((0, 0.3, 1), "The camera tilts down over "),
        ((0, -0.3, 1), "The camera tilts up over "),
        ((0, 0, 1.4), "The camera moves in on "),
        ((0, 0, 1 / 1.4), "The camera moves out over "),
        ((0, 0, 1), "The camera holds still on "),
        ((0.3, 0.25, 1), "The camera pans right and tilts down over "),
    ],
)
def test_the_camera_goes_where_it_went(
    photographs: Photographs, photograph: str, end: Camera, words: str
) -> None:
    caption, sure = describe(filmed(photographs[photograph], end))
    assert caption.startswith(words)
    assert sure == CONFIDENCE


def test_motion_is_measured_in_picture_widths(photographs: Photographs) -> None:
    pairs = register(grey_views(filmed(photographs["astronaut"], (0.4, -0.2, 1.0))))
    motion = camera_motion([pair for pair in pairs if pair is not None])
    assert motion.right == pytest.approx(0.4, abs=0.02)
    assert motion.down == pytest.approx(-0.2, abs=0.02)
    assert motion.inward == pytest.approx(0, abs=0.02)


def test_enlargement_is_measured(photographs: Photographs) -> None:
    pairs = register(grey_views(filmed(photographs["astronaut"], (0, 0, 1.5))))
    assert sum(pair.zoom for pair in pairs if pair) == pytest.approx(np.log(1.5), abs=0.03)


def test_a_thing_that_moves_before_a_still_camera(photographs: Photographs) -> None:
    clip = filmed(photographs["astronaut"], (0, 0, 1))
    assert " nothing moves" in describe(clip)[0]
    for i, frame in enumerate(clip):
        cv2.circle(frame, (40 + 34 * i, 120), 24, (255, 240, 0), -1)
    caption, _ = describe(clip)
    assert caption.startswith("The camera holds still on ")
    assert caption.endswith(" with some movement.")


def test_to_and_fro(photographs: Photographs) -> None:
    there = filmed(photographs["astronaut"], (0.3, 0, 1), frames=5)
    caption, _ = describe(np.concatenate([there, there[-2::-1]]))
    assert caption.startswith("The camera moves to and fro over ")


def test_unrelated_frames_are_not_given_a_direction(photographs: Photographs) -> None:
    names = ("astronaut", "cat", "coffee", "rocket")
    clip = np.stack([cv2.resize(photographs[name], (WIDTH, HEIGHT)) for name in names])
    assert describe(clip.astype(np.uint8))[0].startswith("The view keeps changing")


def test_one_frame_has_light_and_colours_only() -> None:
    frame = np.full((1, 90, 160, 3), (250, 250, 250), np.uint8)
    assert describe(frame) == ("A bright, mostly white scene.", CONFIDENCE)


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (3, 2, 2, 3), (2, 1, 500, 3), (2, 500, 1, 3)])
def test_the_smallest_pictures_are_described(shape: tuple[int, ...]) -> None:
    assert describe(np.zeros(shape, np.uint8))[0].endswith(".")


def test_flat_frames_hold_still() -> None:
    black = np.zeros((4, 90, 160, 3), np.uint8)
    expected = "The camera holds still on a dark, mostly black scene in which nothing moves."
    assert describe(black)[0] == expected


@pytest.mark.parametrize(
    ("colour", "phrase"),
    [
        ((220, 30, 30), "mostly red"),
        ((30, 160, 40), "mostly green"),
        ((30, 60, 230), "mostly blue"),
        ((250, 220, 40), "bright, mostly yellow"),
        ((110, 70, 30), "mostly brown"),
        ((250, 140, 20), "bright, mostly orange"),
        ((128, 128, 128), "mostly grey"),
        ((5, 5, 5), "dark, mostly black"),
        ((240, 130, 190), "bright, mostly pink"),
    ],
)
def test_colours_have_their_names(colour: tuple[int, int, int], phrase: str) -> None:
    assert light_and_colours(np.full((2, 36, 64, 3), colour, np.uint8)) == phrase


def test_two_colours_are_named_the_larger_first() -> None:
    frame = np.zeros((1, 100, 100, 3), np.uint8)
    frame[:, :60], frame[:, 60:] = (40, 170, 60), (40, 80, 230)
    assert light_and_colours(frame) == "mostly green and blue"
