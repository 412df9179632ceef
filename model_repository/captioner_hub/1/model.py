"""Triton model of a captioner that is a checkpoint of transformers."""

from __future__ import annotations

from typing import Any

from streamer.models import captioner_serving, serving


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Load the checkpoint."""
        self._captioner = captioner_serving.load(args)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Caption the clips of all requests."""
        return captioner_serving.answer(requests, self._captioner)
