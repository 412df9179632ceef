"""Which offsets may be committed although jobs finish out of order."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from typing import Generic, TypeVar

Partition = TypeVar("Partition", bound=Hashable)


class OffsetTracker(Generic[Partition]):
    """Per partition: the offsets taken and whether each is finished."""

    def __init__(self) -> None:
        self._taken: dict[Partition, dict[int, bool]] = {}

    def take(self, partition: Partition, offset: int) -> None:
        """A message was taken; offsets of a partition come in ascending order."""
        self._taken.setdefault(partition, {})[offset] = False

    def holds(self, partition: Partition, offset: int) -> bool:
        """Whether the message was taken and is not committed; false once its partition is lost."""
        return offset in self._taken.get(partition, ())

    def held(self, partition: Partition) -> int:
        """How many messages were taken and are not committed."""
        return len(self._taken.get(partition, ()))

    def finish(self, partition: Partition, offset: int) -> None:
        """All effects of the message are acknowledged. Unknown ones are ignored: ownership of
        the partition was lost meanwhile."""
        offsets = self._taken.get(partition)
        if offsets is not None and offset in offsets:
            offsets[offset] = True

    def forget(self, partition: Partition) -> None:
        """The partition belongs to another worker now."""
        self._taken.pop(partition, None)

    def advance(self) -> dict[Partition, int]:
        """Partitions whose position moved: the next offset to read after a restart."""
        moved: dict[Partition, int] = {}
        for partition, offsets in self._taken.items():
            finished = list(itertools.takewhile(offsets.__getitem__, offsets))
            for offset in finished:
                del offsets[offset]
                moved[partition] = offset + 1
        return moved
