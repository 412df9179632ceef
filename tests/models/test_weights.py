"""Only whole safetensors are served, and what does not fit is refused with the sum."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from streamer.errors import UsageError
from streamer.models.checkpoint import CaptionerModel
from streamer.models.memory import check_fits, gpu_need
from streamer.models.weights import count_parameters, served_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_file({"a": torch.zeros(3, 5), "b": torch.zeros(7)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    (tmp_path / "modeling.py").write_text("raise SystemExit")
    return tmp_path


def captioner(folder: Path, **options: object) -> CaptionerModel:
    return CaptionerModel.model_validate(
        {"checkpoint": f"local-dir:{folder}", "sees": "picture", **options}
    )


def test_neither_pickles_nor_code_are_served(folder: Path) -> None:
    assert [file.name for file in served_files(folder)] == ["config.json", "model.safetensors"]
    assert count_parameters(folder) == 22


def test_a_folder_of_pickles_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"only the pickle pytorch_model.bin.*safetensors"):
        served_files(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no checkpoint at .*absent"):
        served_files(tmp_path / "absent")


@pytest.mark.parametrize("keep", [0, 4, 8, 20, -1])
def test_weights_that_are_cut_short_are_refused(folder: Path, keep: int) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(UsageError, match=r"model.safetensors is .*fetch it again"):
        count_parameters(folder)


def test_models_that_do_not_fit_are_refused_with_the_sum(folder: Path) -> None:
    large = captioner(folder)
    hub = CaptionerModel(
        checkpoint="some/model",
        revision="0" * 40,
        parameters_millions=7000,
        download_megabytes=14000,
        dtype="bfloat16",
        sees="video",
    )
    assert gpu_need("captioner_a", large).parameters == 22
    assert gpu_need("captioner_b", hub).gib == pytest.approx(7e9 * 2 / 2**30 + 1)
    check_fits({"captioner_a": large, "captioner_b": hub}, gpu_gib=24)
    with pytest.raises(
        UsageError, match=r"need 15\.\d GiB and the GPU has 8\.0: .*7000 M x 2 bytes"
    ):
        check_fits({"captioner_a": large, "captioner_b": hub}, gpu_gib=8)
    check_fits({"captioner_b": hub.model_copy(update={"device": "cpu"})}, gpu_gib=8)
