"""What is known of a clip in words: title, description, and what is said in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from streamer.acquire import Media
from streamer.errors import JobRejected
from streamer.spans import Span


@dataclass(frozen=True)
class Subtitle:
    """A line that is said from ``start`` to ``end``, in seconds of stream time."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class VideoText:
    """The words that come with a video, the job's before the site's.

    Attributes:
        about: title and description.
        subtitles: in order.
    """

    about: tuple[str, ...]
    subtitles: tuple[Subtitle, ...] = ()

    @classmethod
    def of(cls, metadata: Mapping[str, Any], media: Media) -> Self:
        """From a job's ``metadata``: ``title``, ``description`` and ``subtitles``.

        Raises:
            JobRejected: if a subtitle is not ``{"start": …, "end": …, "text": …}``.
        """
        title = metadata.get("title") or media.title
        description = metadata.get("description") or media.description
        about = tuple(part for part in (title, description) if isinstance(part, str))
        return cls(about, tuple(map(_subtitle, _lines(metadata.get("subtitles") or ()))))

    def during(self, span: Span) -> str:
        """Title, description and the subtitles that overlap the span, a line each.

        The paper's captioners that read get these (arXiv 2402.19479, section 3.2).
        """
        said = [
            each.text
            for each in self.subtitles
            if each.start < float(span.end) and each.end > float(span.start)
        ]
        return "\n".join((*self.about, *said))


def _lines(value: Any) -> Iterable[Any]:
    if isinstance(value, (list, tuple)):
        return value
    raise _bad_subtitles(value)


def _subtitle(value: Any) -> Subtitle:
    try:
        return Subtitle(float(value["start"]), float(value["end"]), str(value["text"]))
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise _bad_subtitles(value) from error


def _bad_subtitles(value: Any) -> JobRejected:
    return JobRejected(
        f"metadata.subtitles: {str(value)[:80]} is not like "
        '[{"start": 1.5, "end": 3.0, "text": "Hello."}]',
        kind="bad_subtitles",
        stage="caption",
    )
