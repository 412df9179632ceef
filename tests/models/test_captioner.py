"""Captioners answer as transformers answers in process, clip by clip, whatever they are beside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from streamer.errors import UsageError
from streamer.models.caption_text import clean_caption, fill_prompt
from streamer.models.captioner import Answer, Caption, Captioner
from streamer.models.captioner_inputs import Frames, sharpest_of_middle, spread
from streamer.models.checkpoint import CaptionerModel
from streamer.models.fan_out import CaptionerError

from .tiny_captioners import FAMILIES

# Family, what it sees, and the marks that its template puts before the instruction.
CASES = [
    ("blip", "picture", None),
    ("git", "picture", None),
    ("qwen", "picture", "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>"),
    ("qwen", "video", "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>"),
    ("smolvlm", "picture", "<|im_start|>User:<image> "),
    ("smolvlm", "video", "<|im_start|>User: <video>"),
]
ENDS = {
    "qwen": "<|im_end|>\n<|im_start|>assistant\n",
    "smolvlm": "<end_of_utterance>\nAssistant:",
}
PROMPT = "Describe the video."
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=NO_GPU)]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("captioners")
    return {name: write(folder / name) for name, write in FAMILIES.items()}


@pytest.fixture(scope="module")
def clips() -> list[Frames]:
    """Clips of several sizes and lengths, no two alike."""
    random = np.random.default_rng(0)
    sizes = [(8, 64, 96), (3, 40, 40), (1, 90, 60), (5, 36, 100), (8, 50, 50), (3, 64, 64)]
    return [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def options(folder: Path, sees: str, **more: Any) -> CaptionerModel:
    given = {"prompt": "", "frames": 4 if sees == "video" else 1, "max_new_tokens": 8, **more}
    return CaptionerModel.model_validate(
        {"checkpoint": f"local-dir:{folder}", "sees": sees, **given}
    )


def said(answers: list[Answer]) -> list[str]:
    return [each.text if isinstance(each, Caption) else str(each) for each in answers]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("family", "sees", "before"), CASES)
def test_a_batch_says_what_each_clip_gets_alone_in_process(
    family: str,
    sees: str,
    before: str | None,
    device: str,
    checkpoints: dict[str, Path],
    clips: list[Frames],
) -> None:
    folder = checkpoints[family]
    turn = None if before is None else f"{before}{PROMPT}{ENDS[family]}"
    prompt = "" if before is None else PROMPT
    captioner = Captioner(folder, options(folder, sees, prompt=prompt), device)
    answers = captioner.describe(clips, [""] * len(clips))
    assert said(answers) == [reference(folder, sees, clip, turn, device) for clip in clips]


def reference(folder: Path, sees: str, clip: Frames, turn: str | None, device: str) -> str:
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    text = {} if turn is None else {"text": [turn]}
    if sees == "picture":
        shown: dict[str, Any] = {"images": sharpest_of_middle(clip, 1)}
    else:
        frames = spread(clip, 4)
        times = {"total_num_frames": len(frames), "fps": 1.0}
        shown = {
            "videos": [torch.from_numpy(frames).permute(0, 3, 1, 2)],
            "video_metadata": [times | {"frames_indices": [*range(len(frames))]}],
            "do_sample_frames": False,
        }
    inputs = processor(**shown, **text, return_tensors="pt").to(device)
    made = model.to(device).generate(**inputs, max_new_tokens=8, do_sample=False)
    start = inputs["input_ids"].shape[1] if turn else 1
    try:
        return clean_caption(processor.decode(made[0][start:], skip_special_tokens=True), PROMPT)
    except CaptionerError as error:
        return str(error)


@pytest.mark.parametrize(("family", "sees"), [("qwen", "video"), ("smolvlm", "picture")])
def test_captions_belong_to_their_clips_in_any_order(
    family: str, sees: str, checkpoints: dict[str, Path], clips: list[Frames]
) -> None:
    folder = checkpoints[family]
    captioner = Captioner(folder, options(folder, sees, prompt="See: {text}", batch=4))
    texts = [f"number {i}" for i in range(len(clips))]
    pairs = zip(clips, texts, strict=True)
    alone = [said(captioner.describe([clip], [text]))[0] for clip, text in pairs]
    assert len(set(alone)) > 2
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(len(clips)), 4))
    answers = captioner.describe([clips[i] for i in order], [texts[i] for i in order])
    assert said(answers) == [alone[i] for i in order]


def test_confidence_is_a_probability(checkpoints: dict[str, Path], clips: list[Frames]) -> None:
    captioner = Captioner(checkpoints["qwen"], options(checkpoints["qwen"], "picture", prompt="x"))
    answers = captioner.describe(clips, [""] * len(clips))
    sure = [each.confidence for each in answers if isinstance(each, Caption)]
    assert all(0 < each < 1 for each in sure)
    assert len(set(sure)) > 1


def test_the_surest_of_several_pictures_counts(
    checkpoints: dict[str, Path], clips: list[Frames]
) -> None:
    folder = checkpoints["qwen"]
    one = Captioner(folder, options(folder, "picture", prompt="x"))
    each = [one.describe([clips[0][i : i + 1]], [""])[0] for i in range(2, 6)]
    best = max((a for a in each if isinstance(a, Caption)), key=lambda a: a.confidence)
    several = Captioner(folder, options(folder, "picture", prompt="x", frames=4))
    [answer] = several.describe([clips[0]], [""])
    assert isinstance(answer, Caption)
    assert answer.text == best.text
    assert answer.confidence == pytest.approx(best.confidence, 1e-4)


def test_a_captioner_that_never_ends_stops_at_its_deadline(
    checkpoints: dict[str, Path], clips: list[Frames]
) -> None:
    folder = checkpoints["smolvlm"]
    config = json.loads((folder / "generation_config.json").read_text())
    endless = folder.with_name("endless")
    FAMILIES["smolvlm"](endless)
    (endless / "generation_config.json").write_text(json.dumps(config | {"eos_token_id": None}))
    captioner = Captioner(
        endless, options(endless, "video", prompt="x", max_new_tokens=1024, deadline_seconds=0.3)
    )
    answers = captioner.describe(clips[:2], ["", ""])
    assert said(answers) == ["no caption within its deadline"] * 2


def test_generating_stops_when_nobody_waits(
    checkpoints: dict[str, Path], clips: list[Frames]
) -> None:
    folder = checkpoints["qwen"]
    captioner = Captioner(folder, options(folder, "picture", prompt="x", max_new_tokens=1024))
    asked: list[int] = []

    def is_cancelled(clip: int) -> bool:
        asked.append(clip)
        return len(asked) > 5

    assert said(captioner.describe(clips[:1], [""], is_cancelled)) == ["cancelled"]
    assert len(asked) < 10
    fine = captioner.describe(clips[:2], ["", ""], lambda clip: clip == 0)
    assert isinstance(fine[1], Caption)


@pytest.mark.parametrize("shape", [(0, 40, 40, 3), (2, 0, 40, 3)])
@pytest.mark.parametrize("family", ["blip", "qwen"])
def test_a_clip_of_no_use_fails_alone(
    shape: tuple[int, ...], family: str, checkpoints: dict[str, Path], clips: list[Frames]
) -> None:
    folder, prompt = checkpoints[family], "" if family == "blip" else "x"
    captioner = Captioner(folder, options(folder, "picture", prompt=prompt))
    alone = said(captioner.describe(clips[:1], [""]))[0]
    answers = captioner.describe([np.zeros(shape, np.uint8), clips[0]], ["", ""])
    assert isinstance(answers[0], CaptionerError)
    assert said(answers)[1] == alone


@pytest.mark.parametrize("family", ["qwen", "smolvlm"])
def test_no_text_adds_a_mark_to_the_prompt(family: str, checkpoints: dict[str, Path]) -> None:
    processor = AutoProcessor.from_pretrained(checkpoints[family], local_files_only=True)
    tokenizer: Any = processor.tokenizer
    marks = [each.content for each in tokenizer.added_tokens_decoder.values()]
    text = "cat " + " ".join(marks) + "".join(marks[::-1])
    hostile = fill_prompt("{text}", text, tokenizer.all_special_tokens)
    assert not set(tokenizer(hostile)["input_ids"]) & set(tokenizer.added_tokens_decoder)


@pytest.mark.parametrize("spoil", ["missing", "pickle", "short", "config", "kind", "processor"])
def test_a_checkpoint_of_no_use_is_named(
    spoil: str, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "spoilt"
    if spoil != "missing":
        FAMILIES["blip"](folder)
    weights = folder / "model.safetensors"
    if spoil == "pickle":
        weights.rename(folder / "pytorch_model.bin")
    if spoil == "short":
        weights.write_bytes(weights.read_bytes()[:-100])
    if spoil == "config":
        (folder / "config.json").write_text("{")
    if spoil == "kind":
        (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    if spoil == "processor":
        (folder / "processor_config.json").unlink()
    with pytest.raises(UsageError, match="spoilt") as caught:
        Captioner(folder, options(checkpoints["blip"], "picture"))
    assert "\n" not in caught.value.message
