"""How near captions are to references: the metrics of Panda-70M's captioning table.

BLEU-4, ROUGE-L and CIDEr are those of the COCO caption evaluation (``pycocoevalcap``), METEOR
its Java program, BERTScore the ``bert-score`` package with roberta-large. All are in percent, as
in that table (arXiv 2402.19479): 100 times what the programs give, CIDEr too, which can reach
1000.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from streamer.errors import UsageError
from streamer.evaluate.caption_pairs import Pair
from streamer.evaluate.java_scoring import MeteorFailed, load_coco, meteor, tokenize

# What bert-score takes for English, and the layer it was tuned to.
_BERT, _BERT_LAYER = "roberta-large", 17

Words = dict[int, list[str]]
"""Tokenized texts by the place of their pair, as pycocoevalcap wants them."""


@dataclass(frozen=True)
class Scored:
    """A metric: of all captions together and of each, in percent."""

    name: str
    value: float
    each: tuple[float, ...]


@dataclass(frozen=True)
class LeftOut:
    """A metric that was not computed, and why."""

    name: str
    reason: str


Metric = Scored | LeftOut


def score(pairs: Sequence[Pair]) -> tuple[Metric, ...]:
    """Compare captions with their references.

    Args:
        pairs: at least one. CIDEr weighs words by how few of these clips' references have them,
            so it depends on the selection, and on a single clip it means nothing.

    Returns:
        BLEU-4, ROUGE-L, METEOR, CIDEr, BERTScore.

    Raises:
        UsageError: if a package is missing, or the references of a clip have no word.
        Unavailable: if the tokenizer fails.
    """
    captions, references = _words(pairs)
    _check_words(pairs, references)
    return (
        _bleu(captions, references),
        _rouge(captions, references),
        _meteor(captions, references),
        _cider(captions, references),
        bert_score([(each.prediction.caption, each.reference.captions) for each in pairs]),
    )


def _words(pairs: Sequence[Pair]) -> tuple[Words, Words]:
    """Captions and references in words, by one start of Java."""
    texts = [each.prediction.caption for each in pairs]
    texts += [text for each in pairs for text in each.reference.captions]
    words = iter(tokenize(texts))
    captions = {index: [next(words)] for index, _ in enumerate(pairs)}
    references = {
        index: [next(words) for _ in each.reference.captions] for index, each in enumerate(pairs)
    }
    return captions, references


def _check_words(pairs: Sequence[Pair], references: Words) -> None:
    for index, texts in references.items():
        if not any(texts):
            name = pairs[index].reference.id
            raise UsageError(f"the references of {name!r} have no word; leave them out")


def _bleu(captions: Words, references: Words) -> Metric:
    scorer = load_coco("bleu.bleu").Bleu(4)
    # Unless told not to, it prints to stdout.
    values, each = scorer.compute_score(references, captions, verbose=0)
    return _percent("BLEU-4", values[3], each[3])


def _rouge(captions: Words, references: Words) -> Metric:
    scorer = load_coco("rouge.rouge").Rouge()
    return _percent("ROUGE-L", *scorer.compute_score(references, captions))


def _meteor(captions: Words, references: Words) -> Metric:
    try:
        found = meteor([text for (text,) in captions.values()], [*references.values()])
    except MeteorFailed as error:
        return LeftOut("METEOR", str(error))
    return _percent("METEOR", *found)


def _cider(captions: Words, references: Words) -> Metric:
    if len(captions) == 1:
        return LeftOut("CIDEr", "of one clip it is always 0; compare two or more")
    scorer = load_coco("cider.cider").Cider()
    return _percent("CIDEr", *scorer.compute_score(references, captions))


def _percent(name: str, value: float, each: Sequence[float]) -> Scored:
    return Scored(name, 100 * float(value), tuple(100 * float(one) for one in each))


def bert_score(captions: Sequence[tuple[str, Sequence[str]]]) -> Metric:
    """BERTScore's F1 (arXiv 1904.09675), averaged over all references of all captions.

    Panda-70M averages like that; the package by itself would take each caption's best reference.
    Nothing is downloaded: without package or weights the metric is left out.

    Args:
        captions: a caption and its references, as written.
    """
    try:
        package, folder = import_module("bert_score"), _bert_folder()
        values = iter(_bert_f1(package, folder, captions))
    except (ImportError, OSError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        return LeftOut("BERTScore", f"bert-score with {_BERT} is not at hand: {first}")
    each = [_mean([next(values) for _ in references]) for _, references in captions]
    weights = [len(references) for _, references in captions]
    total = sum(value * weight for value, weight in zip(each, weights, strict=True))
    return _percent("BERTScore", total / sum(weights), each)


def _bert_folder() -> str:
    hub = import_module("huggingface_hub")
    return str(hub.snapshot_download(_BERT, local_files_only=True))


def _bert_f1(
    package: Any, folder: str, captions: Sequence[tuple[str, Sequence[str]]]
) -> list[float]:
    pairs = [(caption, text) for caption, references in captions for text in references]
    ones, others = zip(*pairs, strict=True)
    _, _, f1 = package.score([*ones], [*others], model_type=folder, num_layers=_BERT_LAYER)
    return [float(value) for value in f1]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def scores_by_pair(metrics: Sequence[Metric], count: int) -> Iterator[Mapping[str, float]]:
    """The metrics of each pair, in percent, in order."""
    scored = [metric for metric in metrics if isinstance(metric, Scored)]
    for index in range(count):
        yield {metric.name: metric.each[index] for metric in scored}
