"""All videos that ``benchmarks.split`` measures on, made by two processes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

from benchmarks.reels import GRADUAL, HARD, build_reel, gather_clips
from benchmarks.takes import TAKES, Take, build_take
from streamer.evaluate.reel import ReelPlan

BUILDERS = 2  # processes; each encodes on two threads, but only for a part of its time


@dataclass(frozen=True)
class Scope:
    """What is to be made."""

    hard: tuple[ReelPlan, ...] = HARD
    gradual: tuple[ReelPlan, ...] = GRADUAL
    takes: tuple[Take, ...] = TAKES

    @staticmethod
    def of(quick: bool) -> Scope:
        """All of it, or one frame rate, one length of fade and one take of a kind."""
        if not quick:
            return Scope()
        kinds = groupby(TAKES, key=lambda take: take.kind)
        return Scope(
            tuple(plan for plan in HARD if plan.rate == 25),
            tuple(plan for plan in GRADUAL if float(plan.seconds) == 0.6),
            tuple(next(group) for _, group in kinds),
        )


@dataclass(frozen=True)
class Videos:
    """Manifests of what was made: by frame rate, by kind and length, and by kind."""

    hard: dict[float, Path]
    gradual: dict[tuple[str, float], Path]
    takes: dict[Take, Path]


def build(folder: Path, scope: Scope, tell: Callable[[str], None]) -> Videos:
    """Make what is not in ``folder`` yet.

    Args:
        folder: where the videos are, or are to be.
        scope: which.
        tell: told what is being done.

    Raises:
        UsageError: if the real clips are not there, or cannot be read.
    """
    tell("cutting the real reel into its events")
    clips = gather_clips(folder / "clips")
    with ProcessPoolExecutor(BUILDERS, get_context("spawn")) as pool:
        plans = (*scope.hard, *scope.gradual)
        joined = {plan: pool.submit(build_reel, clips, folder, plan) for plan in plans}
        single = {take: pool.submit(build_take, clips, folder, take) for take in scope.takes}
        made = [*joined.values(), *single.values()]
        for count, each in enumerate(as_completed(made), start=1):
            tell(f"video {count} of {len(made)}: {each.result().stem}")
    return Videos(
        {float(plan.rate): joined[plan].result() for plan in scope.hard},
        {(p.transition, float(p.seconds)): joined[p].result() for p in scope.gradual},
        {take: each.result() for take, each in single.items()},
    )
