"""JSON Schemas of the records: ``python -m streamer_client.schemas docs/schemas`` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from streamer_client.records import ClipBoundary, ClipCaption, VideoDone, VideoJob


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each record (JSON Schema 2020-12), by file name."""
    made = {f"{cls.type}.json": cls.model_json_schema(mode="serialization") for cls in _RECORDS}
    # A producer may leave out what has a default.
    made[f"{VideoJob.type}.json"] = VideoJob.model_json_schema(mode="validation")
    return made


def text_of(schema: dict[str, Any]) -> str:
    """A schema as it stands in its file."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**dialect, **schema}, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Write every schema into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(text_of(schema), encoding="utf-8")


_RECORDS = (VideoJob, ClipBoundary, ClipCaption, VideoDone)

if __name__ == "__main__":
    write(Path(sys.argv[1]))
