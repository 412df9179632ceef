"""A short fuzz in every run of the tests, and proof that the fuzzer sees what it looks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import fuzz_targets
from benchmarks.fuzz import Fuzzer, fuzzer
from benchmarks.fuzz_targets import Broken
from streamer.url_policy import AddressPolicy

SEEDS = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzer]:
    with fuzzer(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


def repeatable(examples: int) -> settings:
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None)


@repeatable(1500)
@given(seed=SEEDS)
def test_fuzzed_record_parser(it: Fuzzer, seed: int) -> None:
    it.run("record parser", seed)


@repeatable(500)
@given(seed=SEEDS)
def test_fuzzed_url_policy(it: Fuzzer, seed: int) -> None:
    it.run("URL policy", seed)


@repeatable(25)
@given(seed=SEEDS)
def test_fuzzed_playlist_check(it: Fuzzer, seed: int) -> None:
    it.run("playlist check", seed)


@repeatable(200)
@given(seed=SEEDS)
def test_fuzzed_playlists_in_files(it: Fuzzer, seed: int) -> None:
    it.run("playlists in files", seed)


@repeatable(200)
@given(seed=SEEDS)
def test_fuzzed_media(it: Fuzzer, seed: int) -> None:
    it.run("spoilt videos", seed)


def _run_all(it: Fuzzer, target: str) -> None:
    for seed in range(500):
        it.run(target, seed)


@pytest.mark.parametrize("target", ["URL policy", "playlist check"])
def test_the_fuzzer_sees_a_policy_with_a_hole(
    it: Fuzzer, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AddressPolicy, "permits", lambda *_: True)
    with pytest.raises(Broken, match="was permitted"):
        _run_all(it, target)


def test_the_fuzzer_sees_an_error_without_a_type(
    it: Fuzzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise KeyError("url")

    monkeypatch.setattr(fuzz_targets, "read_job", broken)
    with pytest.raises(KeyError):
        it.run("record parser", 0)
