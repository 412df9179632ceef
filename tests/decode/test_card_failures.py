"""A card that fails on the way costs no video: PyAV goes on, whatever is set about damage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from streamer.config import DecodeSettings
from streamer.decode import dali as dali_module
from streamer.decode.card_use import CardUse
from streamer.decode.dali_pipeline import Step, steps
from streamer.errors import StreamerError, Unavailable, WorkerBroken
from tests.decode.decoders import VP9, settings_of
from tests.decode.reading import Decoded
from tests.media import numbered_video, read_number

NO_MEMORY = "CUDA runtime API error cudaErrorMemoryAllocation (2):\nout of memory"
FAULT = "CUDA runtime API error cudaErrorIllegalAddress (700):\nan illegal memory access"
GONE = "nvml error: 999 GPU is lost"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes DALI fail in its third step, as a card does."""
    monkeypatch.setattr(dali_module, "this_process", CardUse())

    def fail(said: str) -> None:
        def first_steps(*arguments: Any) -> Iterator[Step]:
            yield from islice(steps(*arguments), 2)
            raise RuntimeError(said)

        monkeypatch.setattr(dali_module, "steps", first_steps)

    return fail


@pytest.mark.parametrize("said", [NO_MEMORY, FAULT, GONE, "it rains"])
def test_pyav_goes_on_where_the_card_fails(
    said: str, failing: Callable[[str], None], tmp_path: Path
) -> None:
    failing(said)
    path = numbered_video(tmp_path / "v.webm", 200, coding=VP9)
    auto = DecodeSettings(threads=2, after_break="partial")  # which is for what is damaged
    with dali_module.decode_dali(path, auto) as video:
        numbers = [read_number(frame) for batch in video.batches() for frame in batch.small]
        assert (numbers, video.damage) == (list(range(200)), None)
        assert video.decoder == "dali-cpu+pyav"
        assert str(video.decoder_reason).startswith("DALI stopped after 64 frames: ")


@pytest.mark.parametrize(
    ("said", "type_", "kind"),
    [(NO_MEMORY, Unavailable, "gpu_out_of_memory"), (GONE, WorkerBroken, "gpu_missing")],
)
def test_dali_alone_tells_that_the_card_failed(
    said: str,
    type_: type[StreamerError],
    kind: str,
    failing: Callable[[str], None],
    tmp_path: Path,
) -> None:
    failing(said)
    path = numbered_video(tmp_path / "v.webm", 200, coding=VP9)
    with pytest.raises(type_) as caught:
        Decoded(path, settings_of("dali-cpu"))
    assert caught.value.kind == kind
