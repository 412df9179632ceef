"""What `auto` sees: cuts, fades, dips and wipes where they are, and no cut in camera motion."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamer.decode.interface import Pixels
from streamer.evaluate.transitions import mixer_of
from streamer.shots import AutoDetector, Cut
from streamer.shots.panning import shows_camera_motion
from tests.pictures import Scene, joined

RATES = [12.0, 24.0, 25.0, 30.0, 60.0]


def cuts_of(frames: Pixels, rate: float, sizes: Iterator[int] | None = None) -> list[Cut]:
    detector, start = AutoDetector(rate), 0
    cuts: list[Cut] = []
    while start < len(frames):
        size = next(sizes) if sizes else len(frames)
        cuts.extend(detector.feed(frames[start : start + size]).cuts)
        start += size
    return [*cuts, *detector.finish().cuts]


def take(seed: int, seconds: float, rate: float) -> Pixels:
    return Scene(seed).take(round(seconds * rate), speed=3 / rate)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", [1, 3, 5])
def test_a_hard_cut_is_found_at_its_frame_and_for_sure(rate: float, seed: int) -> None:
    one, other = take(seed, 3, rate), take(seed + 1, 3, rate)
    [cut] = cuts_of(np.concatenate([one, other]), rate)
    assert (cut.end, cut.start, cut.doubt) == (len(one), len(one), None)


@pytest.mark.parametrize("rate", RATES[1:])
@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("kind", ["fade", "dip", "wipe"])
def test_a_gradual_change_is_a_span_inside_the_transition(
    kind: str, seconds: float, rate: float
) -> None:
    length = round(seconds * rate)
    for seed in (1, 3, 5, 7):
        mix = mixer_of(kind, random.Random(seed))
        frames = joined(take(seed, 4, rate), take(seed + 1, 4, rate), length, mix)
        first, off = round(4 * rate) - length, max(2, round(0.1 * length))
        [cut] = cuts_of(frames, rate)
        assert first - off <= cut.end < cut.start <= first + length + off
        assert cut.start - cut.end >= length // 2


def panned(rate: float, pixels: float = 24.0, seconds: float = 0.4) -> Pixels:
    """A camera that rests, turns fast, and rests."""
    scene, turn = Scene(9), round(seconds * rate)
    eased = (1 - np.cos(np.pi * np.arange(turn + 1) / turn)) / 2
    rest = round(3 * rate)
    places = np.concatenate([np.zeros(rest), pixels * eased, np.full(rest, pixels)])
    return np.stack([scene.picture(30 + float(place)) for place in places])


@pytest.mark.parametrize("rate", RATES[1:])
def test_a_fast_pan_is_no_sure_change_and_its_doubt_shows_motion(rate: float) -> None:
    for cut in cuts_of(panned(rate), rate):
        assert cut.doubt is not None
        assert shows_camera_motion(cut.doubt.around)


@pytest.mark.parametrize("kind", ["fade", "wipe", "dip"])
def test_transitions_do_not_show_camera_motion(kind: str) -> None:
    for seed in (1, 3, 5, 7):
        mix = mixer_of(kind, random.Random(seed))
        frames = joined(take(seed, 1, 25), take(seed + 1, 1, 25), 15, mix)
        assert not shows_camera_motion(frames)


@pytest.mark.parametrize("rate", RATES)
def test_a_shaking_camera_makes_no_change(rate: float) -> None:
    seconds = np.arange(round(8 * rate)) / rate
    right = 2 * np.sin(9 * seconds) + np.sin(23 * seconds)
    down = np.sin(11 * seconds) + np.sin(29 * seconds) / 2
    shaken = np.stack([Scene(2).picture(60 + x, 8 + y) for x, y in zip(right, down, strict=True)])
    assert [cut for cut in cuts_of(shaken, rate) if cut.doubt is None] == []


def test_of_a_fade_and_a_cut_within_it_only_one_is_left() -> None:
    fade = mixer_of("fade", random.Random(1))
    faded = joined(take(1, 3, 25), take(2, 0.8, 25), 15, fade)
    cuts = cuts_of(np.concatenate([faded, take(6, 3, 25)]), 25.0)
    assert len(cuts) == 1


@settings(max_examples=15, deadline=None)
@example(
    kinds=["cut", "dip", "dip"], rate=50.0, seed=189
)  # A dip that ends long before it is judged.
@given(
    kinds=st.lists(st.sampled_from(["cut", "fade", "dip", "wipe"]), min_size=1, max_size=4),
    rate=st.sampled_from([12.0, 25.0, 50.0]),
    seed=st.integers(0, 1000),
)
def test_changes_do_not_depend_on_chunks(kinds: list[str], rate: float, seed: int) -> None:
    chance = random.Random(seed)
    frames = take(seed, 1.5, rate)
    for number, kind in enumerate(kinds):
        length = 0 if kind == "cut" else round(chance.uniform(0.2, 1.0) * rate)
        following = take(seed + number + 1, chance.uniform(1.1, 2.5), rate)
        frames = joined(frames, following, length, mixer_of(kind, chance))

    def seen(sizes: Iterator[int] | None) -> list[tuple[int, int, bytes]]:
        cuts = cuts_of(frames, rate, sizes)
        return [(c.end, c.start, c.doubt.window.tobytes() if c.doubt else b"") for c in cuts]

    whole = seen(None)
    assert seen(iter(lambda: 1, 0)) == whole
    assert seen(iter(lambda: chance.randint(1, 90), 0)) == whole


def test_little_is_held_of_a_long_still_shot() -> None:
    detector, still = AutoDetector(25.0), Scene(1).take(1, speed=0)
    for _ in range(200):
        detector.feed(np.repeat(still, 100, axis=0))
    assert detector._history.end == 20_000
    assert len(detector._history.blocks(0, 20_000)) < 400
