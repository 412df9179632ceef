"""How well captions match a clip's frames.

Panda-70M (arXiv 2402.19479, section 3.3) ranks captions with a fine-tuned video-text retrieval
model; a CLIP's cosine, averaged over frames, is the usual stand-in (CLIPScore, arXiv 2104.08718,
without its factor of 2.5 and its floor at zero).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamer.models.fan_out import Candidate

Embeddings = NDArray[np.float32]


def texts_of(candidates: Sequence[Candidate]) -> list[str]:
    """The captions there are, each once: captioners that agree share one text."""
    return list(dict.fromkeys(each.caption for each in candidates if not each.error))


def matched(
    candidates: Sequence[Candidate], frames: Embeddings, texts: Mapping[str, Embeddings]
) -> tuple[Candidate, ...]:
    """The candidates with their matching scores instead of their confidences.

    Args:
        candidates: captions and errors.
        frames: unit embeddings of the clip's frames, float32 ``(T, D)``.
        texts: unit embedding, float32 ``(D,)``, of each caption.

    Returns:
        Candidates whose score is the mean cosine over the frames, -1 to 1; 0 for a failed one.
        Of usual CLIPs 0.15 is an unrelated caption and 0.3 a good one.
    """
    mean = frames.mean(axis=0)
    return tuple(
        each if each.error else replace(each, score=float(mean @ texts[each.caption]))
        for each in candidates
    )
