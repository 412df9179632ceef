"""Which offsets may be committed although jobs finish out of order."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Set
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

    def finished(self, partition: Partition, offset: int) -> bool:
        """Whether the message is held and all its effects are acknowledged."""
        return self._taken.get(partition, {}).get(offset, False)

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

    def keep(self, partitions: Set[Partition]) -> None:
        """All other partitions belong to other workers now."""
        for partition in self._taken.keys() - partitions:
            self.forget(partition)

    def ready(self) -> dict[Partition, int]:
        """Partitions where the first messages taken are finished, and what to read next there."""
        positions: dict[Partition, int] = {}
        for partition, offsets in self._taken.items():
            for offset in itertools.takewhile(offsets.__getitem__, offsets):
                positions[partition] = offset + 1
        return positions

    def committed(self, positions: Mapping[Partition, int]) -> None:
        """These positions, of ``ready``, are on the broker."""
        for partition, position in positions.items():
            offsets = self._taken.get(partition, {})
            for offset in [each for each in offsets if each < position]:
                del offsets[offset]
