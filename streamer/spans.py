"""Exact presentation time: half-open spans of frames and of seconds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Span:
    """``[start, end)`` in exact seconds of stream time, and in presentation indexes of frames.

    Raises:
        ValueError: if the span is empty or runs backwards.
    """

    start: Fraction
    end: Fraction
    start_frame: int
    end_frame: int

    def __post_init__(self) -> None:
        if self.end <= self.start or self.end_frame <= self.start_frame:
            raise ValueError(
                f"empty span: [{float(self.start)}, {float(self.end)}) s, "
                f"frames [{self.start_frame}, {self.end_frame})"
            )

    @property
    def seconds(self) -> Fraction:
        """Length in seconds."""
        return self.end - self.start

    def touches(self, later: Span) -> bool:
        """Whether ``later`` begins exactly where this span ends."""
        return self.end_frame == later.start_frame

    def until(self, later: Span) -> Span:
        """From the start of this span to the end of ``later``."""
        return Span(self.start, later.end, self.start_frame, later.end_frame)
