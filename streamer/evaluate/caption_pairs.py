"""Which caption is to be compared with which references."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from streamer.evaluate.caption_references import Reference
from streamer.evaluate.captions import Prediction

LEAST_OVERLAP = 0.5
"""Of two spans, shared seconds over seconds of both: below this they are not the same clip."""


@dataclass(frozen=True)
class Pair:
    """A caption and the references it is compared with."""

    prediction: Prediction
    reference: Reference


@dataclass(frozen=True)
class Pairs:
    """Every caption and reference of two files, matched one to one.

    Attributes:
        pairs: what is compared, in the order of the predictions.
        only_predicted: ids of predictions without references.
        only_referenced: ids of references without a prediction.
    """

    pairs: tuple[Pair, ...]
    only_predicted: tuple[str, ...]
    only_referenced: tuple[str, ...]


def pair_up(predictions: Sequence[Prediction], references: Sequence[Reference]) -> Pairs:
    """Match by id, then by video and span.

    A reference goes to the prediction that has its id; where that is the name of a whole video
    of several clips, to the longest of them. What is left goes together if it is of the same
    video and overlaps by ``LEAST_OVERLAP`` or more, best overlaps first.
    """
    matched = _by_id(predictions, references)
    taken = set(matched.values())
    matched |= _by_span(
        [index for index in range(len(predictions)) if index not in matched],
        [index for index in range(len(references)) if index not in taken],
        predictions,
        references,
    )
    taken = set(matched.values())
    return Pairs(
        tuple(Pair(predictions[one], references[other]) for one, other in sorted(matched.items())),
        tuple(each.id for index, each in enumerate(predictions) if index not in matched),
        tuple(each.id for index, each in enumerate(references) if index not in taken),
    )


def _by_id(predictions: Sequence[Prediction], references: Sequence[Reference]) -> dict[int, int]:
    named = {reference.id: index for index, reference in enumerate(references)}
    answers: dict[int, int] = {}
    for index, prediction in enumerate(predictions):
        wanted = next((named[name] for name in prediction.names if name in named), None)
        if wanted is None:
            continue
        rival = answers.get(wanted)
        if rival is None or _length(prediction) > _length(predictions[rival]):
            answers[wanted] = index
    return {index: wanted for wanted, index in answers.items()}


def _length(prediction: Prediction) -> float:
    return prediction.span[1] - prediction.span[0] if prediction.span else 0.0


def _by_span(
    free: Iterable[int],
    open_references: Iterable[int],
    predictions: Sequence[Prediction],
    references: Sequence[Reference],
) -> dict[int, int]:
    of_video: dict[str, list[int]] = defaultdict(list)
    for index in open_references:
        for name in references[index].videos:
            of_video[name].append(index)
    overlaps = sorted(
        (-overlap, one, other)
        for one in free
        for other in {index for name in predictions[one].names for index in of_video[name]}
        for overlap in _overlaps(predictions[one], references[other])
    )
    return dict(_greedily((one, other) for _, one, other in overlaps))


def _overlaps(prediction: Prediction, reference: Reference) -> Iterator[float]:
    if prediction.span is None or reference.span is None:
        return
    (start, end), (begin, stop) = prediction.span, reference.span
    shared = min(end, stop) - max(start, begin)
    both = max(end, stop) - min(start, begin)
    if shared > 0 and shared / both >= LEAST_OVERLAP:
        yield shared / both


def _greedily(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    ones: set[int] = set()
    others: set[int] = set()
    for one, other in pairs:
        if one not in ones and other not in others:
            ones.add(one)
            others.add(other)
            yield one, other
