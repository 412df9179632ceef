"""Texts to the tokens of an open_clip checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.models.open_clip_config import load_config

# Characters of a text: cleaning a million takes 0.4 s, and contexts hold a few hundred.
LONGEST_TEXT = 1_000_000
# A word's first tokens depend on what follows them, but not on what is this far behind.
MARGIN = 512
# Words whose tokens are remembered, some 20 MB.
REMEMBERED = 50_000


class Tokenizer:
    """open_clip's own tokenizer for a checkpoint; long texts are cut to its context.

    Args:
        checkpoint: folder of the checkpoint.

    Raises:
        UsageError: if the configuration is wrong, or the tokenizer's files are missing.
    """

    def __init__(self, checkpoint: Path) -> None:
        load_config(checkpoint)
        try:
            self._tokenize = open_clip.get_tokenizer(f"local-dir:{checkpoint}")
            self._tokenize(["a clip"])
        except Exception as error:
            cause = " ".join(str(error).split())[:200]
            raise UsageError(
                f"{checkpoint} has no usable tokenizer ({type(error).__name__}: {cause}): "
                "put its files beside the weights"
            ) from error
        if type(self._tokenize) is open_clip.SimpleTokenizer and not self._tokenize.reduction_fn:
            self._tokenize.encode = partial(_first_tokens, _Words(self._tokenize))

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokenize.

        Args:
            texts: any number of them, any length; one may be empty.

        Returns:
            int64, shape ``(N, context)``.
        """
        tokens = self._tokenize([text[:LONGEST_TEXT] for text in texts])
        return np.asarray(tokens.numpy(), dtype=np.int64)


class _Words:
    """Tokens of single words, by an open_clip ``SimpleTokenizer`` whose memory stays bounded."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._specials = {
            token: token for token in map(tokenizer.decoder.get, tokenizer.all_special_ids)
        }
        longest_token = max(map(len, tokenizer.encoder))
        self._longest = tokenizer.context_length * longest_token + MARGIN

    def tokens(self, word: str) -> list[int]:
        """The tokens of a word, or of so much of it as a context holds.

        Merging takes time quadratic in the length of a word, and a text without spaces (Chinese,
        base64) is one word.
        """
        tokenizer = self.tokenizer
        if len(tokenizer.cache) > REMEMBERED:
            tokenizer.cache = dict(self._specials)
        symbols = "".join(tokenizer.byte_encoder[byte] for byte in word.encode())
        return [
            tokenizer.encoder[each] for each in tokenizer.bpe(symbols[: self._longest]).split(" ")
        ]


def _first_tokens(words: _Words, text: str) -> list[int]:
    """``SimpleTokenizer.encode``, but no further than the context reaches."""
    tokenizer = words.tokenizer
    tokens: list[int] = []
    for match in tokenizer.pat.finditer(tokenizer.clean_fn(text)):
        tokens += words.tokens(match.group())
        if len(tokens) >= tokenizer.context_length:
            break
    return tokens
