"""The pipeline of a GPU, checked where there is none: all of it runs on the card."""

from __future__ import annotations

import re

import pytest
from nvidia.dali import backend, pipeline_def

from streamer.decode.dali_pipeline import Device, Request, _graph
from streamer.decode.interface import AVERAGED, SPARSE, SmallFormat

COLOURS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def operators(device: Device, small: SmallFormat, colours: tuple[float, ...] | None) -> list[str]:
    """The operators as DALI describes them, with devices and inputs; not built."""
    size = (small.height, small.width)
    request = Request("v.mp4", device, 32, small, size, (180, 320), colours)
    pipeline = pipeline_def(batch_size=1, num_threads=1, device_id=None)(_graph)(request, iter([]))
    pipeline._build_graph()
    return [str(operator.spec) for operator in pipeline._ops]


@pytest.mark.parametrize("small", [AVERAGED, SPARSE])
@pytest.mark.parametrize("colours", [None, COLOURS])
def test_frames_stay_on_the_card(small: SmallFormat, colours: tuple[float, ...] | None) -> None:
    devices = {}
    for text in operators("gpu", small, colours):
        name = re.findall(r"OpSpec for (\w+):", text)[0]
        devices[name] = re.findall(r" device: (\w+)", text)[0]
        known = {"gpu": backend.RegisteredGPUOps, "cpu": backend.RegisteredCPUOps}
        assert name in known[devices[name]]()
    assert {name for name, device in devices.items() if device == "cpu"} == {"ExternalSource"}
    assert "experimental__readers__Video" in devices


@pytest.mark.parametrize("small", [AVERAGED, SPARSE])
def test_a_cpu_runs_the_same(small: SmallFormat) -> None:
    on_card, here = (operators(device, small, COLOURS) for device in ("gpu", "cpu"))
    assert [_without_device(text) for text in here] == [_without_device(text) for text in on_card]


def _without_device(text: str) -> str:
    text = re.sub(r"__(\w+?)_\d+", r"\1", text)  # operators are numbered on
    return re.sub(r"\b(?:cpu|gpu)\b|_(?:cpu|gpu)\b", "", text)
