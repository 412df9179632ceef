"""What this process has done with its card, and whether that still serves."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.decode.gpu import read_cards

# DALI keeps a process's NVDEC sessions, up to 100. It takes one again only for a video whose coded
# size is the size shown, which that of 1080p H.264 (1920x1088) is not (DALI 2.4, NVDECCache).
_MANY_VIDEOS = 16
# Slots may fill a card as they are meant to; it is low at this part of what one takes.
_LOW = 4
_LOST = "the card does nothing more for the process after a fault"


@dataclass
class CardUse:
    """How a process has used its card.

    Attributes:
        videos: how many it has opened there.
        is_lost: whether a failure came after which CUDA does nothing more for the process.
        is_suspect: whether the job at hand ended a process before, as a fault on the card does.
    """

    videos: int = 0
    is_lost: bool = False
    is_suspect: bool = False

    @property
    def kept_off(self) -> str | None:
        """Why the next video had better be decoded elsewhere, in a few words, if so."""
        if self.is_lost:
            return _LOST
        return "the try before crashed its process" if self.is_suspect else None

    def spent(self, video_mb: int) -> str | None:
        """Why a fresh process should take over, in a few words, if so.

        The memory of the card is looked at once in 16 videos.

        Args:
            video_mb: GPU memory that one process is expected to take, in MiB.
        """
        if self.is_lost:
            return _LOST
        if not self.videos or self.videos % _MANY_VIDEOS:
            return None
        free = min((card.free_mb for card in read_cards()[:1]), default=video_mb)
        if free >= video_mb / _LOW:
            return None
        return f"the card has {free} MiB free, and DALI keeps decoders of {self.videos} videos"


this_process = CardUse()
