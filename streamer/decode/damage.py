"""What of a video could not be decoded, gathered while decoding and told in one line."""

from __future__ import annotations

from fractions import Fraction

# Header and stream may differ by rounding and by the length of the last frame.
_SLACK_SECONDS = Fraction(1, 4)
_SLACK_FRAMES = 2
_SLACK_SHARE = Fraction(1, 100)


class Damage:
    """Counts of packets and frames that were lost or came out damaged."""

    def __init__(self) -> None:
        self._lost_packets = 0
        self._first_lost: Fraction | None = None
        self._gaps = 0
        self._missing = Fraction(0)
        self._first_gap: Fraction | None = None
        self._unreadable = 0
        self._frames = 0
        self._first_frame = self._last_frame = 0
        self._gave_up = False
        self._stopped: Fraction | None = None
        self._short: tuple[Fraction, Fraction] | None = None

    def lost_packet(self, time: Fraction | None) -> None:
        """A packet was not decoded; ``time`` is its presentation time in seconds, if known."""
        self._lost_packets += 1
        if self._first_lost is None:
            self._first_lost = time

    def gap(self, start: Fraction, length: Fraction) -> None:
        """The file lacks ``length`` seconds of packets from ``start`` on."""
        self._gaps += 1
        self._missing += length
        if self._first_gap is None:
            self._first_gap = start

    def unreadable(self) -> None:
        """The container could not be read at some point."""
        self._unreadable += 1

    def gave_up(self) -> None:
        """Decoding stopped because errors did not end."""
        self._gave_up = True

    def stopped(self, time: Fraction) -> None:
        """The decoder could not go on; its last frame ended at ``time`` in seconds."""
        self._stopped = time

    def damaged_frame(self, index: int) -> None:
        """The decoder marked the frame of this presentation index as corrupt or concealed."""
        if not self._frames:
            self._first_frame = index
        self._frames += 1
        self._last_frame = index

    def ended(self, end: Fraction, expected: Fraction | None, frame: Fraction) -> None:
        """The last frame ended at ``end``; ``expected`` is where it should, ``frame`` its length.

        Seconds, all three. A small shortfall is how containers round and no damage.
        """
        if expected is None:
            return
        slack = max(_SLACK_SECONDS, _SLACK_FRAMES * frame, expected * _SLACK_SHARE)
        if expected - end > slack:
            self._short = (end, expected)

    def __str__(self) -> str:
        """All of it in one line; empty if there is none."""
        parts = (
            self._packets_text(),
            self._gaps_text(),
            self._frames_text(),
            self._reading_text(),
            self._end_text(),
        )
        return "; ".join(filter(None, parts))

    def _packets_text(self) -> str:
        if not self._lost_packets:
            return ""
        return (
            f"{_count(self._lost_packets, 'packet')} could not be decoded{_from(self._first_lost)}"
        )

    def _gaps_text(self) -> str:
        if not self._gaps:
            return ""
        places = _count(self._gaps, "place")
        return f"{float(self._missing):.1f} s are missing in {places}{_from(self._first_gap)}"

    def _frames_text(self) -> str:
        if not self._frames:
            return ""
        if self._frames == 1:
            return f"frame {self._first_frame} is damaged"
        return f"{self._frames} of frames {self._first_frame} to {self._last_frame} are damaged"

    def _reading_text(self) -> str:
        if self._gave_up:
            return "gave up after too many errors in a row"
        if self._stopped is not None:
            return f"decoding stopped at {_clock(self._stopped)}"
        if not self._unreadable:
            return ""
        return f"the file could not be read at {_count(self._unreadable, 'place')}"

    def _end_text(self) -> str:
        if self._short is None:
            return ""
        end, expected = self._short
        return f"ends at {float(end):.1f} s of {float(expected):.1f} s"


def _from(first: Fraction | None) -> str:
    return "" if first is None else f" from {_clock(first)} on"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _clock(seconds: Fraction) -> str:
    minutes, rest = divmod(float(seconds), 60)
    return f"{int(minutes)}:{rest:04.1f}"
