"""How fast models answer through Triton, beside the same models called in process.

Run ``make bench-models``, or ``python -m benchmarks.models`` in the project's root. The weights are
random, of the architecture that ``--clip`` names, so nothing is downloaded.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import captioners, clip
from benchmarks.processes import OthersShare
from benchmarks.report import report

RUNS = 5


def main() -> int:
    """Measure, print, and return 1 if a bar is missed."""
    arguments = _arguments()
    others = OthersShare()
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as passing:
        folders = [Path(passing) / name for name in ("clip", "captioners")]
        for folder in folders:
            folder.mkdir()
        embedding, of_clip = clip.measure(folders[0], arguments.clip, arguments.runs)
        captioning, of_captioners = captioners.measure(folders[1], arguments.runs)
    load = f"other work on this machine: {others.so_far():.0%} of its processors"
    notes = [of_clip, of_captioners, load]
    return report([*embedding, *captioning], notes, as_markdown=arguments.markdown)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="write Markdown")
    parser.add_argument("--runs", type=int, default=RUNS, help="repetitions (%(default)s)")
    parser.add_argument("--clip", default="ViT-B-32", help="open_clip's name (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
