"""Writes ``goldens/content.json``: what PySceneDetect itself sees in the shared videos.

Run it again for another version of PySceneDetect or other videos, and look at what changes:

    .venv/bin/python -m tests.shots.make_goldens ../shared/media

Each video is read by PySceneDetect with its own decoder, at its own frame size, with its defaults
(ContentDetector, threshold 27, at least 15 frames between cuts). The goldens hold the cuts, and
the scores of all frames from `NOTED`, to explain differences near the threshold.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import scenedetect
from scenedetect import ContentDetector, SceneManager, StatsManager

GOLDENS = Path(__file__).with_name("goldens") / "content.json"
THRESHOLD, MIN_FRAMES = 27.0, 15
NOTED = 20.0
_SCORE = ContentDetector.FRAME_SCORE_KEY


def main() -> None:
    """Read the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("media", type=Path, help="folder with *.mp4 and scenedetect/*.mp4")
    media: Path = parser.parse_args().media
    videos = sorted([*media.glob("scenedetect/*.mp4"), *media.glob("*.mp4")])
    goldens = {
        "pyscenedetect": scenedetect.__version__,
        "threshold": THRESHOLD,
        "min_frames": MIN_FRAMES,
        "videos": [{"file": str(each.relative_to(media)), **_golden(each)} for each in videos],
    }
    GOLDENS.write_text(_json(goldens))


def _golden(video: Path) -> dict[str, Any]:
    scenes = SceneManager(StatsManager())
    scenes.add_detector(ContentDetector(THRESHOLD, MIN_FRAMES))
    frames = scenes.detect_scenes(scenedetect.open_video(str(video)))
    cuts = [start.frame_num for start, _ in scenes.get_scene_list()[1:]]
    scores = [(index, _score(scenes.stats_manager, index)) for index in range(1, frames)]
    noted = {str(index): round(score, 3) for index, score in scores if score >= NOTED}
    return {"frames": frames, "cuts": cuts, "scores": noted}


def _score(stats: StatsManager, frame: int) -> float:
    return float(stats.get_metrics(frame, [_SCORE])[0])


def _json(goldens: dict[str, Any]) -> str:
    """One line a video, so that a change shows where it is."""
    lines = ",\n".join(f"    {json.dumps(each)}" for each in goldens["videos"])
    head = json.dumps({key: goldens[key] for key in goldens if key != "videos"}, indent=2)
    return f'{head[:-2]},\n  "videos": [\n{lines}\n  ]\n}}\n'


if __name__ == "__main__":
    main()
