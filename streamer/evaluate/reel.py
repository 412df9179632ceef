"""Makes a video with known joins out of single clips, and writes down the truth about it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from streamer.decode.interface import Pixels
from streamer.errors import UsageError
from streamer.evaluate.manifest import Event, Join, Manifest, Stretch
from streamer.evaluate.movie import write_movie
from streamer.evaluate.single_clip import SingleClip, clip_pictures
from streamer.evaluate.transitions import GRADUAL, lit, mixer_of

KINDS = ("cut", "fade", "dip", "wipe", "flash", "mix")
# Of "mix": half hard cuts, and the gradual ones equally often.
_MIXED = ("cut", "cut", "cut", "fade", "dip", "wipe")
_MIXED_FLASHES = 0.3
_FLASH_SECONDS, _FLASH_MARGIN = 0.08, 0.8


@dataclass(frozen=True)
class ReelPlan:
    """How a reel is to be made.

    Attributes:
        rate: frames per second.
        size: width and height, even.
        transition: kind of the joins, one of ``KINDS``; ``flash`` is hard cuts and a camera
            flash inside each clip, ``mix`` a bit of everything.
        seconds: length of a gradual transition.
        seed: of the order of clips, directions, and places of flashes.
    """

    rate: Fraction = Fraction(30_000, 1001)
    size: tuple[int, int] = (640, 360)
    transition: str = "cut"
    seconds: Fraction = Fraction(3, 5)
    seed: int = 1

    def __post_init__(self) -> None:
        if self.transition not in KINDS:
            raise UsageError(f"there is no transition {self.transition!r}; use {', '.join(KINDS)}")
        if any(side < 16 or side % 2 for side in self.size):
            raise UsageError("a reel's width and height are even and at least 16 pixels")
        if self.rate <= 0 or self.seconds <= 0:
            raise UsageError("a reel's rate and the length of its transitions are more than 0")


def make_reel(
    clips: Sequence[SingleClip],
    output: Path,
    plan: ReelPlan,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Write ``output``, H.264 in MP4, and its manifest beside it, with the suffix ``.json``.

    The order of the clips is shuffled by the seed. Equal arguments make equal frames. Memory does
    not grow with the number or length of clips.

    Args:
        clips: two or more.
        output: where to write; replaced as a whole, once complete.
        plan: how.
        progress: called after each clip with clips done and clips in all.

    Raises:
        UsageError: if a clip cannot be read, or is shorter than its two transitions.
    """
    if len(clips) < 2:
        raise UsageError("a reel is made of two clips or more")
    assembly = _Assembly(clips, plan, progress or (lambda _done, _total: None))
    write_movie(output, assembly.pictures(), plan.rate, plan.size)
    manifest = assembly.manifest(output.name)
    output.with_suffix(".json").write_text(manifest.to_json(), encoding="utf-8")
    return manifest


class _Assembly:
    """Clips one after the other; knows the truth once all pictures were taken."""

    def __init__(
        self, clips: Sequence[SingleClip], plan: ReelPlan, progress: Callable[[int, int], None]
    ):
        self._plan, self._progress = plan, progress
        self._random = random.Random(plan.seed)  # noqa: S311 - repeatable, not secret
        self._clips = self._random.sample(list(clips), len(clips))
        self._joins: list[Join] = []
        self._flashes: list[Stretch] = []
        self._made = 0

    def pictures(self) -> Iterator[Pixels]:
        """All pictures of the reel, in order."""
        held: deque[Pixels] = deque()
        kinds = [self._kind() for _ in self._clips[1:]]
        for index, clip in enumerate(self._clips):
            pictures = self._pictures_of(clip)
            if index:
                yield from self._counted(self._mixed(held, pictures, kinds[index - 1], clip))
            length = self._length(kinds[index]) if index < len(kinds) else 0
            held = deque()
            yield from self._counted(_held_back(pictures, held, length))
            if len(held) < length:
                raise UsageError(f"{clip.path}: is shorter than the transitions at its ends")
            self._progress(index + 1, len(self._clips))

    def manifest(self, video: str) -> Manifest:
        """The truth, after the last picture."""
        middles = [(join.start_frame + join.end_frame) // 2 for join in self._joins]
        edges = [0, *middles, self._made]
        events = tuple(
            Event(
                start_frame=start,
                end_frame=end,
                caption=clip.caption,
                category=clip.category,
                source=clip.path.name,
            )
            for clip, start, end in zip(self._clips, edges[:-1], edges[1:], strict=True)
        )
        gradual = any(join.length for join in self._joins)
        return Manifest(
            video=video,
            fps=self._plan.rate,
            size=f"{self._plan.size[0]}x{self._plan.size[1]}",
            fade_seconds=float(self._plan.seconds) if gradual else 0.0,
            events=events,
            joins=tuple(self._joins),
            flashes=tuple(self._flashes),
        )

    def _counted(self, pictures: Iterator[Pixels]) -> Iterator[Pixels]:
        for picture in pictures:
            yield picture
            self._made += 1

    def _kind(self) -> str:
        if self._plan.transition == "mix":
            return self._random.choice(_MIXED)
        return "cut" if self._plan.transition == "flash" else self._plan.transition

    def _length(self, kind: str) -> int:
        """Frames of a transition; a gradual one has one at least."""
        return max(1, round(self._plan.seconds * self._plan.rate)) if kind in GRADUAL else 0

    def _mixed(
        self, held: deque[Pixels], pictures: Iterator[Pixels], kind: str, clip: SingleClip
    ) -> Iterator[Pixels]:
        length = len(held)
        end = self._made + length
        self._joins.append(Join(start_frame=self._made, end_frame=end, transition=kind))
        mix = mixer_of(kind, self._random)
        for place in range(length):
            new = next(pictures, None)
            if new is None:
                raise UsageError(f"{clip.path}: is shorter than the transitions at its ends")
            yield mix(held.popleft(), new, (place + 1) / (length + 1))

    def _pictures_of(self, clip: SingleClip) -> Iterator[Pixels]:
        pictures = clip_pictures(clip.path, self._plan.rate, self._plan.size)
        chance = {"flash": 1.0, "mix": _MIXED_FLASHES}.get(self._plan.transition, 0.0)
        if self._random.random() >= chance:
            return pictures
        return self._with_flash(pictures, self._flash_in(clip))

    def _flash_in(self, clip: SingleClip) -> Stretch:
        """Frames of the reel somewhere in the coming clip, away from its ends."""
        latest = max(_FLASH_MARGIN, clip.seconds - _FLASH_MARGIN - _FLASH_SECONDS)
        second = self._random.uniform(_FLASH_MARGIN, latest)
        start = self._made + round(second * self._plan.rate)
        length = max(1, round(_FLASH_SECONDS * self._plan.rate))
        return Stretch(start_frame=start, end_frame=start + length)

    def _with_flash(self, pictures: Iterator[Pixels], flash: Stretch) -> Iterator[Pixels]:
        """The pictures, lit up at first most and then less and less."""
        length = flash.end_frame - flash.start_frame
        for frame, picture in enumerate(pictures, start=self._made):
            left = flash.end_frame - frame
            if left == length:
                self._flashes.append(flash)
            yield lit(picture, left / (length + 1)) if 0 < left <= length else picture


def _held_back(pictures: Iterator[Pixels], held: deque[Pixels], count: int) -> Iterator[Pixels]:
    """Pass pictures on, but the last ``count``, which are left in ``held``."""
    for picture in pictures:
        held.append(picture)
        if len(held) > count:
            yield held.popleft()
