"""Topic names and message headers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from streamer_client.records import ClipBoundary, ClipCaption, Record, VideoDone

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Topics:
    """The topics of one installation; ``prefix`` stands before every name as it is."""

    prefix: str = ""

    @property
    def videos(self) -> str:
        """Jobs in."""
        return f"{self.prefix}videos"

    @property
    def priority(self) -> str:
        """Jobs in that go before those of ``videos``."""
        return f"{self.prefix}videos.priority"

    @property
    def boundaries(self) -> str:
        """A record per closed clip."""
        return f"{self.prefix}clips.boundaries"

    @property
    def captions(self) -> str:
        """A record per captioned clip."""
        return f"{self.prefix}clips.captions"

    @property
    def done(self) -> str:
        """Exactly one record per job."""
        return f"{self.prefix}videos.done"

    @property
    def retry(self) -> str:
        """Jobs to be tried again."""
        return f"{self.prefix}videos.retry"

    @property
    def dead(self) -> str:
        """Jobs that will not succeed, byte for byte."""
        return f"{self.prefix}videos.dead"

    @property
    def all(self) -> tuple[str, ...]:
        """Every topic, inputs first."""
        outputs = (self.boundaries, self.captions, self.done, self.dead)
        return (self.videos, self.priority, self.retry, *outputs)

    @property
    def results(self) -> dict[str, type[Record]]:
        """Each output topic and the record it carries."""
        return {self.boundaries: ClipBoundary, self.captions: ClipCaption, self.done: VideoDone}

    def of(self, record: Record) -> str:
        """The topic that carries ``record``."""
        by_type = {ClipBoundary.type: self.boundaries, ClipCaption.type: self.captions}
        return by_type.get(record.type, self.done)


def cloudevents_headers(record_type: str, source: str) -> Headers:
    """CloudEvents 1.0 binary-mode headers (CloudEvents Kafka protocol binding, section 3.2)."""
    return [
        ("ce_id", str(uuid.uuid4()).encode()),
        ("ce_type", f"streamer.{record_type}.v1".encode()),
        ("ce_source", source.encode()),
        ("ce_specversion", b"1.0"),
        ("content-type", b"application/json"),
    ]
