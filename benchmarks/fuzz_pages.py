"""Pages, playlists and manifests for fuzzing, whose every URL may lead anywhere."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from benchmarks.fuzz_inputs import mutated, url

HTML = "text/html"
HLS = "application/vnd.apple.mpegurl"
DASH = "application/dash+xml"

Link = Callable[[], str]


def page(random: Random, good: str, port: int) -> tuple[bytes, str]:
    """A body and its content type; ``good`` is a URL that may be fetched, ``port`` the trap's."""

    def link() -> str:
        chance = random.random()
        if chance < 0.4:
            return good
        return "file:///etc/hostname" if chance < 0.5 else url(random, port)

    make, content_type = random.choice(
        ((_hls, HLS), (_hls, HLS), (_master, HLS), (_dash, DASH), (_dash, DASH), (_html, HTML))
    )
    body = make(random, link).encode(errors="replace")
    if random.random() < 0.4:
        body = mutated(random, body)
    return body, "text/plain" if random.random() < 0.1 else content_type


def _hls(random: Random, link: Link) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:4"]
    for _ in range(random.randint(0, 4)):
        lines += random.choice(
            (
                [f'#EXT-X-MAP:URI="{link()}"'],
                [f'#EXT-X-KEY:METHOD=AES-128,URI="{link()}",IV=0x{random.getrandbits(128):032x}'],
                ["#EXT-X-BYTERANGE:10@5"],
                ["#EXT-X-DISCONTINUITY"],
                [],
            )
        )
        lines += ["#EXTINF:4.0,", link()]
    return "\n".join([*lines, *random.choice((["#EXT-X-ENDLIST"], ["#EXT-X-ENDLIST"], [])), ""])


def _master(random: Random, link: Link) -> str:
    lines = ["#EXTM3U"]
    for _ in range(random.randint(1, 3)):
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={random.randint(1, 9)}000,RESOLUTION=64x36", link()]
        lines += [f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="{link()}"']
    return "\n".join([*lines, ""])


def _dash(random: Random, link: Link) -> str:
    inside = random.choice(
        (
            f"<BaseURL>{link()}</BaseURL>",
            f'<SegmentList duration="4"><Initialization sourceURL="{link()}"/>'
            f'<SegmentURL media="{link()}"/><SegmentURL media="{link()}"/></SegmentList>',
            f'<SegmentTemplate duration="2" startNumber="1" initialization="{link()}" '
            f'media="{link()}$Number$"/>',
        )
    )
    base = random.choice(("", f"<BaseURL>{link()}</BaseURL>"))
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="PT4S">{base}<Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="v" bandwidth="1" width="64" height="36">{inside}</Representation>'
        "</AdaptationSet></Period></MPD>"
    )


def _html(random: Random, link: Link) -> str:
    parts = (
        lambda: f'<video src="{link()}"></video>',
        lambda: f'<video><source src="{link()}" type="application/x-mpegurl"></video>',
        lambda: f'<iframe src="{link()}"></iframe>',
        lambda: f'<meta http-equiv="refresh" content="0; url={link()}">',
        lambda: f'<meta property="og:video" content="{link()}">',
        lambda: (
            '<script type="application/ld+json">{"@context": "http://schema.org", "@type": '
            f'"VideoObject", "name": "\\ud800", "contentUrl": "{link()}"}}</script>'
        ),
    )
    body = "".join(random.choice(parts)() for _ in range(random.randint(1, 3)))
    return f"<!DOCTYPE html><html><head><title>A</title></head><body>{body}</body></html>"
