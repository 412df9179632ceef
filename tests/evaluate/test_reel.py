"""Reels of numbered clips: what frame is where is read back from the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.evaluate.manifest import Manifest, load_manifest
from streamer.evaluate.reel import ReelPlan, make_reel
from streamer.evaluate.single_clip import SingleClip, clip_pictures
from tests.media import (
    NUMBERS,
    Coding,
    flat_picture,
    numbered_picture,
    read_number,
    write_video,
)

SIZE = (160, 96)
NTSC = Fraction(30_000, 1001)


def _clip(path: Path, first: int, frames: int = 40, rate: Fraction = NTSC) -> SingleClip:
    pictures = (numbered_picture(first + i, *SIZE) for i in range(frames))
    return SingleClip(
        write_video(path, pictures, Coding(rate=rate)), path.stem, None, float(frames / rate)
    )


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[SingleClip]:
    """Four clips; the numbers tell clip (hundreds) and frame."""
    folder = tmp_path_factory.mktemp("clips")
    return [_clip(folder / f"clip{i}.mp4", 1000 * i) for i in range(4)]


def _read(path: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")  # type: ignore[misc]


def _made(clips: list[SingleClip], folder: Path, plan: ReelPlan) -> tuple[list[int], Manifest]:
    make_reel(clips, folder / "reel.mp4", plan)
    video, manifest = load_manifest(folder / "reel.json")
    numbers = [read_number(picture) for picture in _read(video)]
    assert len(numbers) == manifest.frames
    return numbers, manifest


def test_hard_cuts_are_where_the_truth_says(clips: list[SingleClip], tmp_path: Path) -> None:
    numbers, manifest = _made(clips, tmp_path, ReelPlan(NTSC, SIZE))
    for event in manifest.events:
        assert event.source is not None
        first = 1000 * int(event.source[4])
        shown = numbers[event.start_frame : event.end_frame]
        assert shown == [*range(first, first + 40)]
    starts = [event.start_frame for event in manifest.events[1:]]
    assert [join.middle for join in manifest.true_joins()] == starts == [40, 80, 120]


@pytest.mark.parametrize("kind", ["fade", "dip", "wipe"])
def test_outside_gradual_joins_the_clips_are_untouched(
    clips: list[SingleClip], tmp_path: Path, kind: str
) -> None:
    plan = ReelPlan(NTSC, SIZE, kind, Fraction(2, 5))
    numbers, manifest = _made(clips, tmp_path, plan)
    joins = manifest.true_joins()
    assert {(join.transition, join.length) for join in joins} == {(kind, 12)}
    assert manifest.frames == 4 * 40 - 3 * 12
    edges = [0, *(e for j in joins for e in (j.start_frame, j.end_frame)), manifest.frames]
    for index, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        source = manifest.events[index].source
        assert source is not None
        skipped = 12 if index else 0
        first = 1000 * int(source[4]) + skipped
        assert numbers[start:end] == [*range(first, first + end - start)]


def test_a_cross_fade_is_a_straight_line_between_both_clips(tmp_path: Path) -> None:
    dark, light = (
        SingleClip(write_video(tmp_path / f"{level}.mp4", [flat_picture((level,) * 3, *SIZE)] * 30))
        for level in (40, 200)
    )
    plan = ReelPlan(Fraction(25), SIZE, "fade", Fraction(2, 5))
    manifest = make_reel([dark, light], tmp_path / "reel.mp4", plan)
    means = np.array([picture.mean() for picture in _read(tmp_path / "reel.mp4")])
    (join,) = manifest.true_joins()
    first = means[0]
    steps = np.linspace(first, means[-1], join.length + 2)[1:-1]
    assert means[join.start_frame : join.end_frame] == pytest.approx(steps, abs=3)
    assert means[: join.start_frame] == pytest.approx(first, abs=2)
    assert means[join.end_frame :] == pytest.approx(means[-1], abs=2)


def test_a_dip_is_darkest_in_its_middle(tmp_path: Path) -> None:
    bright = SingleClip(write_video(tmp_path / "b.mp4", [flat_picture((200,) * 3, *SIZE)] * 30))
    plan = ReelPlan(Fraction(25), SIZE, "dip", Fraction(11, 25))
    manifest = make_reel([bright, bright], tmp_path / "reel.mp4", plan)
    means = [picture.mean() for picture in _read(tmp_path / "reel.mp4")]
    assert int(np.argmin(means)) == int(manifest.true_joins()[0].middle)
    assert min(means) < 10


def test_flashes_light_up_the_frames_they_are_written_down_for(tmp_path: Path) -> None:
    clips = [
        SingleClip(
            write_video(tmp_path / f"{i}.mp4", [flat_picture((90,) * 3, *SIZE)] * 75), seconds=3
        )
        for i in range(2)
    ]
    manifest = make_reel(clips, tmp_path / "reel.mp4", ReelPlan(Fraction(25), SIZE, "flash"))
    means = np.array([picture.mean() for picture in _read(tmp_path / "reel.mp4")])
    lit = {i for f in manifest.flashes for i in range(f.start_frame, f.end_frame)}
    assert len(manifest.flashes) == 2
    assert {int(i) for i in np.flatnonzero(means > 110)} == lit
    assert [join.transition for join in manifest.true_joins()] == ["cut"]


def test_equal_seeds_make_equal_reels(clips: list[SingleClip], tmp_path: Path) -> None:
    def made(name: str, seed: int) -> tuple[bytes, Manifest]:
        plan = ReelPlan(NTSC, SIZE, "mix", Fraction(1, 5), seed)
        manifest = make_reel(clips, tmp_path / name, plan)
        return (tmp_path / name).read_bytes(), manifest.model_copy(update={"video": ""})

    assert made("one.mp4", 3) == made("two.mp4", 3)
    assert made("one.mp4", 3)[1] != made("other.mp4", 4)[1]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [(Fraction(25), Fraction(50)), (Fraction(50), Fraction(24)), (NTSC, Fraction(25))],
)
def test_pictures_are_those_shown_at_each_time(
    tmp_path: Path, source: Fraction, wanted: Fraction
) -> None:
    clip = _clip(tmp_path / "clip.mp4", 0, 60, source)
    numbers = [read_number(picture) for picture in clip_pictures(clip.path, wanted, SIZE)]
    length = 60 / source
    expected = [int(k / wanted * source) for k in range(int(length * wanted) + 1)]
    assert numbers == [number for number in expected if number < 60][: len(numbers)]
    assert len(numbers) / wanted >= length > (len(numbers) - 1) / wanted


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [Fraction(t, 100) for t in (50, 54, 58, 98, 102)]
    coding = Coding(times=times)
    path = write_video(
        tmp_path / "clip.mkv", (numbered_picture(i, *SIZE) for i in range(5)), coding
    )
    numbers = [read_number(picture) for picture in clip_pictures(path, Fraction(25), SIZE)]
    assert numbers[:14] == [0, 1, *[2] * 10, 3, 4]


def test_other_shapes_get_black_bars(tmp_path: Path) -> None:
    path = write_video(tmp_path / "tall.mp4", [flat_picture((200,) * 3, 96, 192)] * 3)
    picture = next(clip_pictures(path, Fraction(25), (320, 180)))
    assert picture.shape == (180, 320, 3)
    columns = picture.mean(axis=(0, 2))
    assert set(np.flatnonzero(columns > 100)) == set(range(115, 205))
    assert columns[:115].max() == 0


def test_numbers_can_be_read() -> None:
    assert read_number(numbered_picture(NUMBERS - 1, *SIZE)) == NUMBERS - 1


def test_what_cannot_be_made_is_said(clips: list[SingleClip], tmp_path: Path) -> None:
    output = tmp_path / "reel.mp4"
    with pytest.raises(UsageError, match="two clips or more"):
        make_reel(clips[:1], output, ReelPlan(NTSC, SIZE))
    with pytest.raises(UsageError, match=r"clip\d.mp4: is shorter than the transitions"):
        make_reel(clips, output, ReelPlan(NTSC, SIZE, "fade", Fraction(3, 2)))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(UsageError, match=r"broken.mp4: cannot be made part of a reel"):
        make_reel([SingleClip(broken), clips[0]], output, ReelPlan(NTSC, SIZE))
    with pytest.raises(UsageError, match="no transition 'star'"):
        ReelPlan(transition="star")
    assert not [*tmp_path.glob("reel*")]
