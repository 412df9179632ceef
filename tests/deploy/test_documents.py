"""Values and files that docs/deploy.md and docs/operate.md name exist; examples are accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.helm import CHART, ROOT, run

DOCUMENTS = ("deploy.md", "operate.md")
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def text_of(document: str) -> str:
    return (ROOT / "docs" / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_values_exist(document: str) -> None:
    names = re.findall(r"(?:`|--set(?:-file)? )([a-zA-Z]+(?:\.\w+)+)\b", text_of(document))
    values = [name for name in names if name.split(".")[0] in SCHEMA["properties"]]
    assert values
    assert [value for value in values if not is_value(value)] == []


def is_value(path: str) -> bool:
    """Whether the chart has the value; below what Kubernetes defines, anything goes."""
    schema = SCHEMA
    for part in path.split("."):
        if isinstance(schema.get("additionalProperties"), dict):
            return True
        if part not in schema.get("properties", {}):
            return False
        schema = schema["properties"][part]
    return True


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_exist(document: str) -> None:
    text = text_of(document)
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)}
    named = set(re.findall(r"deploy/[\w./-]+", re.sub(r"\]\([^)]+\)", "", text)))
    assert [link for link in links if link and not (ROOT / "docs" / link).exists()] == []
    assert [file for file in named if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("number", range(2))
def test_example_values_are_accepted(number: int, tmp_path: Path) -> None:
    examples = re.findall(r"^```yaml\n(.*?)^```", text_of("deploy.md"), re.M | re.S)
    assert len(examples) == 2
    file = tmp_path / "mine.yaml"
    file.write_text(examples[number])
    done = run("template", "r", ".", f"--values={file}")
    assert done.returncode == 0, done.stderr
