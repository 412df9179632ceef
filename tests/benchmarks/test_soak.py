"""What counts as growth."""

from __future__ import annotations

import pytest

from benchmarks.soak import Sample, growth

HOURS = [number / 20 for number in range(20)]
NAMES = (
    *(
        f"{who}: {what}"
        for who in ("worker", "slot")
        for what in ("memory, MB", "open files", "threads")
    ),
    "temporary files",
)


def flat() -> list[Sample]:
    return [dict.fromkeys(NAMES, 100.0) for _ in HOURS]


def test_what_is_flat_does_not_grow() -> None:
    assert not any(row.grows for row in growth(HOURS, flat()))


def test_what_grows_is_named_with_its_slope() -> None:
    samples = flat()
    for hour, sample in zip(HOURS, samples, strict=True):
        sample["slot: memory, MB"] += 50 * hour
    (row,) = [row for row in growth(HOURS, samples) if row.grows]
    assert row.name == "slot: memory, MB"
    assert row.per_hour == pytest.approx(50)


def test_the_warm_up_does_not_count() -> None:
    samples = flat()
    for number in range(5):
        samples[number]["worker: threads"] = number
    assert not any(row.grows for row in growth(HOURS, samples))


def test_too_few_jobs_tell_nothing() -> None:
    with pytest.raises(RuntimeError, match="too few"):
        growth(HOURS[:9], flat()[:9])
