"""Triton model `caption`: asks every captioner at once and ranks what comes back."""

from __future__ import annotations

from typing import Any

from streamer.models import serving


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Read which captioners there are."""
        serving.start(args)
        self._captioners = serving.parameter(args, "captioners").split(",")

    async def execute(self, requests: list[Any]) -> list[Any]:
        """Caption the clips of all requests concurrently."""
        return await serving.answer_ensemble(requests, self._captioners)
