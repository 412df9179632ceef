"""Whether a shot shows the same event as those before it."""

from __future__ import annotations

from collections import deque

import numpy as np

from streamer.colours import colour_distance
from streamer.stitch import rules as rule
from streamer.stitch.probe import ProbedShot
from streamer.stitch.rules import StitchRules


class Neighbours:
    """The last shots of an event."""

    def __init__(self, rules: StitchRules):
        self._rules = rules
        self._shots: deque[ProbedShot] = deque(maxlen=rules.neighbours)

    @property
    def last(self) -> ProbedShot:
        """The newest."""
        return self._shots[-1]

    def add(self, shot: ProbedShot) -> None:
        """Append the next shot of the event."""
        self._shots.append(shot)

    def clear(self) -> None:
        """Begin another event."""
        self._shots.clear()

    def show(self, shot: ProbedShot) -> bool:
        """Whether ``shot`` shows the same event, by the rule of the preset."""
        if not self._shots:
            return False
        if self._rules.neighbours == 1:
            return rule.belongs(self.last.tail, shot.head, self._rules)
        colours = np.mean([each.colours for each in self._shots], axis=0)
        tails = (each.tail for each in self._shots)
        change = colour_distance(colours, shot.colours)
        return rule.goes_on(tails, shot.head, change, shot.shot.lead.size > 0, self._rules)

    def recall(self, shot: ProbedShot) -> bool:
        """Whether ``shot``, which does not follow these, shows them again."""
        if self._rules.neighbours == 1:
            return False
        return rule.returns((each.tail for each in self._shots), shot.head, self._rules)
