"""Fuzzing of the record parser, the URL policy, playlists and the decoder, for a stated time.

Run ``make fuzz SECONDS=60``, or ``python -m benchmarks.fuzz --seconds 60`` in the project's root.
It fails on a crash (an error without a type of the service's own), on a hang (an input that takes
over 5 s), and if a refused address is reached. An input that fails is told by its target and seed:
``--target "URL policy" --seed 7`` runs that one again.
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import socket
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from benchmarks.fuzz_targets import SITE, Broken, Fence, Targets
from tests.web import Web

HANG_SECONDS = 5.0
KILL_SECONDS = 60.0  # a hang that does not even end
ROUND_SECONDS = 0.5
SLOW = "playlist check"  # goes through yt-dlp, so it gets more of the time


class Fuzzer:
    """Runs targets over seeds; made by `fuzzer`."""

    def __init__(self, targets: Targets, fence: Fence, trap: socket.socket) -> None:
        self.targets = targets.all
        self._fence, self._trap = fence, trap

    def run(self, name: str, seed: int) -> None:
        """One input.

        Raises:
            Broken: a refused address was reached, or another promise was broken.
            Exception: whatever the service did not expect.
        """
        with self._fence:
            self.targets[name](Random(f"{name} {seed}"))  # noqa: S311 - to be repeatable
        if self._fence.escapes:
            raise Broken(f"a connection to {self._fence.escapes.pop()} was permitted")
        try:
            self._trap.accept()[0].close()
        except BlockingIOError:
            return
        raise Broken("the trap was reached")


@contextmanager
def fuzzer(folder: Path) -> Iterator[Fuzzer]:
    """A fuzzer, with a site of its own and a trap on loopback."""
    with ExitStack() as stack:
        web = stack.enter_context(Web(SITE))
        trap = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        trap.setblocking(False)

        def serve(body: bytes, content_type: str) -> str:
            return web.serve("/input", body, content_type)

        port = int(trap.getsockname()[1])
        yield Fuzzer(Targets(folder, web.url("/good.mp4"), serve, port), Fence(), trap)


def main() -> int:
    """Fuzz for as long as was asked; 1 if anything broke."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="streamer-fuzz-") as folder, fuzzer(Path(folder)) as it:
        if arguments.target:
            it.run(arguments.target, arguments.seed)
            return 0
        return _report(*_fuzzed(it, arguments.seconds, arguments.seed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--target", help="run this target once, with that seed")
    return parser.parse_args()


def _fuzzed(it: Fuzzer, seconds: float, seed: int) -> tuple[Counter[str], list[str]]:
    """How many inputs each target had, and what broke; the targets take turns."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    end = time.monotonic() + seconds
    for name in itertools.cycle(it.targets):
        if time.monotonic() > end:
            return counts, faults
        turn_end = time.monotonic() + ROUND_SECONDS * (5 if name == SLOW else 1)
        while time.monotonic() < turn_end:
            faults += _tried(it.run, name, seed + counts[name])
            counts[name] += 1
    return counts, faults


def _tried(run: Callable[[str, int], None], name: str, seed: int) -> list[str]:
    faulthandler.dump_traceback_later(KILL_SECONDS, exit=True)
    started = time.monotonic()
    try:
        run(name, seed)
    except Exception:  # noqa: BLE001 - any of them is what is looked for
        return [f"{name}, seed {seed}:\n{traceback.format_exc()}"]
    finally:
        faulthandler.cancel_dump_traceback_later()
    took = time.monotonic() - started
    return [f"{name}, seed {seed}: took {took:.1f} s"] if took > HANG_SECONDS else []


def _report(counts: Counter[str], faults: list[str]) -> int:
    for fault in faults[:20]:
        print(fault, file=sys.stderr)
    for name, count in counts.items():
        print(f"{name:<20} {count:>10,} inputs")
    print(f"{'in all':<20} {counts.total():>10,} inputs, {len(faults)} of them broke something")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
