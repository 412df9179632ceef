"""How often a job has been tried, as the headers of ``videos.retry`` and ``videos.dead`` say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from streamer.worker.message import Message
from streamer_client.records import VideoError
from streamer_client.topics import Headers


@dataclass(frozen=True)
class Attempt:
    """One try of a job.

    Attributes:
        number: from 1.
        first_seen: when a worker first took the job, in Unix milliseconds.
        not_before: when this try may start, in Unix milliseconds.
        origin: topic, partition and offset that the job was first read from.
        last_kind: kind of the failure of the try before; empty at the first.
    """

    number: int
    first_seen: int
    not_before: int
    origin: tuple[str, int, int]
    last_kind: str

    @classmethod
    def of(cls, message: Message, now: int) -> Self:
        """The try that ``message``, read at ``now``, asks for.

        Numbers that cannot be read, of a foreign producer, count as left out.
        """
        headers = {name: value.decode(errors="replace") for name, value in message.headers}
        origin = (
            headers.get("streamer-origin-topic", message.topic),
            _number(headers, "streamer-origin-partition", message.partition),
            _number(headers, "streamer-origin-offset", message.offset),
        )
        return cls(
            number=_number(headers, "streamer-attempt", 0) + 1,
            first_seen=_number(headers, "streamer-first-seen", now),
            not_before=_number(headers, "streamer-not-before", 0),
            origin=origin,
            last_kind=headers.get("streamer-kind", ""),
        )

    def wait_seconds(self, now: int, longest: float) -> float:
        """Seconds from ``now`` until this try may start, at most ``longest``.

        The bound is for clocks that differ or are set back: they must not hold a job for hours.
        """
        return min(max(0.0, (self.not_before - now) / 1000), longest)

    def headers(self, error: VideoError, worker: str, not_before: int | None = None) -> Headers:
        """What to write beside the job's bytes after this try failed with ``error``."""
        topic, partition, offset = self.origin
        fields: dict[str, object] = {
            "streamer-attempt": self.number,
            "streamer-first-seen": self.first_seen,
            "streamer-origin-topic": topic,
            "streamer-origin-partition": partition,
            "streamer-origin-offset": offset,
            "streamer-stage": error.stage,
            "streamer-kind": error.kind,
            "streamer-message": error.message,
            "streamer-worker": worker,
        }
        if not_before is not None:
            fields["streamer-not-before"] = not_before
        return [(name, str(value).encode(errors="replace")) for name, value in fields.items()]


def _number(headers: dict[str, str], name: str, otherwise: int) -> int:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else otherwise
