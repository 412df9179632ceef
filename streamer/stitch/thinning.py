"""The frames of a clip that stand for it."""

from __future__ import annotations

from streamer.decode.interface import Sample
from streamer_client import thinning


class Thinning(thinning.Thinning[Sample]):
    """Evenly spread samples of a stretch whose length is not known beforehand."""

    def within(self, start_frame: int, end_frame: int) -> tuple[Sample, ...]:
        """At most ``wanted`` samples, evenly spread over the frames ``[start, end)``.

        Where sampling is sparser than the span, the nearest that were offered stand in.
        """
        inside = [s for s in self.kept if start_frame <= s.index < end_frame]
        return thinning.spread(inside or self.kept, self._wanted)
