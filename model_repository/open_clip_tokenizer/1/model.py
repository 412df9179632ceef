"""Triton model `clip_tokenizer` of an open_clip checkpoint: texts to tokens."""

from __future__ import annotations

from typing import Any

from streamer.models import open_clip_serving, serving


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Read the vocabulary."""
        folder = open_clip_serving.checkpoint(args)
        # After the environment says that nothing is fetched, which the library reads only once.
        from streamer.models.open_clip_tokenizer import Tokenizer

        self._tokenizer = Tokenizer(folder)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Tokenize the texts of all requests; bytes that are no UTF-8 are replaced."""
        return serving.answer_together(requests, "TEXT", self._tokens, ["TOKENS"])

    def _tokens(self, texts: serving.Array) -> list[serving.Array]:
        return [self._tokenizer([text.decode(errors="replace") for text in texts[:, 0]])]
