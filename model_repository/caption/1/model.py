"""Triton model `caption`: asks every captioner at once and ranks what comes back."""

from __future__ import annotations

from typing import Any

from streamer.models import serving
from streamer.models.caption_ensemble import CaptionEnsemble


class TritonPythonModel:
    """The interface that Triton's Python backend looks for."""

    def initialize(self, args: serving.Args) -> None:
        """Read which captioners there are, and how their captions are ranked."""
        serving.start(args)
        self._ensemble = CaptionEnsemble(
            serving.parameter(args, "captioners").split(","),
            by_clip=serving.parameter(args, "ranking") == "clip",
            deadline_seconds=float(serving.parameter(args, "deadline_seconds")),
        )

    async def execute(self, requests: list[Any]) -> list[Any]:
        """Caption the clips of all requests concurrently."""
        return await self._ensemble.answer(requests)
