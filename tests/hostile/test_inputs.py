"""Every hostile or broken input ends as the table says, and nothing reaches the trap."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streamer.config import Settings
from tests.hostile import addresses, answers, files, pages, records
from tests.hostile.outcome import outcome
from tests.hostile.place import Case, Place

TABLES = (addresses.CASES, answers.CASES, pages.CASES, files.CASES, records.CASES)
CASES: dict[str, Case] = {name: case for table in TABLES for name, case in table.items()}


@pytest.mark.parametrize("name", CASES)
def test_hostile(
    name: str,
    place: Place,
    settings: Settings,
    reached: list[tuple[str, int]],
    record_property: Callable[[str, object], None],
) -> None:
    case = CASES[name]
    for section, values in case.limits.items():
        settings = settings.with_section(section, **values)
    ends, why = outcome(case.message(place), settings)
    assert ends == case.ends, why
    assert why.isprintable()
    assert "s3cret" not in why
    assert len(why) <= 300
    assert {address[0] for address in reached} <= {place.web.host}
    record_property("input", name)
    record_property("ends", ends)
