"""Pages, playlists and manifests that lead where nothing may go, or that never end."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

from tests.hostile.addresses import REFUSED, SCHEME
from tests.hostile.answers import NO_VIDEO, TOO_LARGE
from tests.hostile.place import Case, Place
from tests.web import Exchange

HTML = "text/html"
HLS = "application/vnd.apple.mpegurl"
DASH = "application/dash+xml"
_FILE = "file:///etc/passwd"
_COMPLEX = {"acquire": {"page_cpu_seconds": 0.5}}
_LIVE = "rejected acquire live_stream"
_TOO_COMPLEX = "rejected acquire page_too_complex"


def html(body: str, head: str = "") -> str:
    """A page."""
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


def hls(*lines: str) -> str:
    """A playlist that has an end."""
    head = ("#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:4")
    return "\n".join([*head, *lines, "#EXT-X-ENDLIST", ""])


def dash(inside: str, base: str = "") -> str:
    """A manifest with one representation."""
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="PT4S">{base}<Period><AdaptationSet mimeType="video/mp4">'
        '<Representation id="v" bandwidth="1" width="64" height="36" codecs="avc1.64001f">'
        f"{inside}</Representation></AdaptationSet></Period></MPD>"
    )


def _serve(text: str, content_type: str, path: str = "/input") -> Callable[[Place], str]:
    return lambda place: place.web.serve(path, text.encode(), content_type)


def _to_trap(make: Callable[[str], str], content_type: str, ends: str = REFUSED) -> Case:
    """``make`` puts a URL into a page or playlist: here, that of the trap."""

    def page(place: Place) -> str:
        return _serve(make(place.trapped()), content_type)(place)

    return Case(page, ends)


def _to_file(make: Callable[[str], str], content_type: str, ends: str = SCHEME) -> Case:
    return Case(_serve(make(_FILE), content_type), ends)


def _video(url: str) -> str:
    return html(f'<video src="{url}"></video>')


def _segment(url: str) -> str:
    return hls("#EXTINF:4,", url)


def _second_segment(url: str) -> str:
    return hls("#EXTINF:4,", "/good.mp4", "#EXTINF:4,", url)


def _key(url: str) -> str:
    return hls(f'#EXT-X-KEY:METHOD=AES-128,URI="{url}"', "#EXTINF:4,", "/good.mp4")


def _init(url: str) -> str:
    return hls(f'#EXT-X-MAP:URI="{url}"', "#EXTINF:4,", "/good.mp4")


def _nested(url: str) -> str:
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=64x36\n{url}\n"


def _dash_segments(url: str) -> str:
    return dash(
        f'<SegmentList duration="4"><Initialization sourceURL="/good.mp4"/>'
        f'<SegmentURL media="{url}"/></SegmentList>'
    )


def _dash_init(url: str) -> str:
    return dash(
        f'<SegmentList duration="4"><Initialization sourceURL="{url}"/>'
        '<SegmentURL media="/good.mp4"/></SegmentList>'
    )


def _redirected_segment(place: Place) -> str:
    place.web.redirect("/1.ts", place.trapped())
    return place.web.serve("/input", _segment("/1.ts").encode(), HLS)


def _redirected_video(place: Place) -> str:
    place.web.redirect("/1.mp4", place.trapped())
    return place.web.serve("/input", _video("/1.mp4").encode(), HTML)


def _nested_twice(place: Place) -> str:
    place.web.serve("/low.m3u8", _segment(place.trapped("2130706433")).encode(), HLS)
    return place.web.serve("/input", _nested("/low.m3u8").encode(), HLS)


def _nested_in_itself(place: Place) -> str:
    return place.web.serve("/input", _nested("/input").encode(), HLS)


def _endless_page(exchange: Exchange) -> None:
    exchange.begin(200, HTML, {"Connection": "close"})
    while not exchange.server.web.stopping.is_set():
        exchange.wfile.write(b"<p>x " * 10_000)


def _billion_laughs() -> str:
    names = "abcdefghij"
    entities = "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(names)
    )
    document = f'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa">{entities}]>'
    return dash("&j;").replace("<MPD", f"{document}<MPD")


def _linked_data(url: str) -> str:
    video = {"@context": "http://schema.org", "@type": "VideoObject", "contentUrl": url}
    video |= {"name": "a\ud800\0\x1b[31m\u202eb"}
    return html("", f'<script type="application/ld+json">{json.dumps(video)}</script>')


CASES = {
    "page: video in the trap": _to_trap(_video, HTML),
    "page: video that redirects into the trap": Case(_redirected_video, REFUSED),
    "page: video in a file": _to_file(_video, HTML, "rejected acquire unsupported_stream"),
    "page: video over RTMP": Case(
        _serve(_video("rtmp://127.0.0.1/x"), HTML), "rejected acquire unsupported_stream"
    ),
    "page: linked data in the trap": _to_trap(_linked_data, HTML),
    "page: frame in the trap": _to_trap(
        lambda url: html(f'<iframe src="{url}"></iframe>'), HTML, NO_VIDEO
    ),
    "page: refresh into the trap": _to_trap(
        lambda url: html("", f'<meta http-equiv="refresh" content="0; url={url}">'), HTML
    ),
    "page: no video": Case(_serve(html("words only"), HTML), NO_VIDEO),
    "page: sound only": Case(
        _serve(html('<audio src="/a.mp3"></audio>'), HTML), "rejected acquire no_video_stream"
    ),
    "page: two videos": Case(
        _serve(html('<video src="/good.mp4"></video><video src="/b.mp4"></video>'), HTML),
        "rejected acquire playlist",
    ),
    "page: without end": Case(lambda place: place.answered(_endless_page), TOO_LARGE),
    "page: a million open tags": Case(
        _serve(html("<a " * 1_000_000), HTML), _TOO_COMPLEX, _COMPLEX
    ),
    "page: a million open videos": Case(
        _serve(html("<video " * 1_000_000), HTML), _TOO_COMPLEX, _COMPLEX
    ),
    "HLS: segment in the trap": _to_trap(_segment, HLS),
    "HLS: second segment in the trap": _to_trap(_second_segment, HLS),
    "HLS: segment that redirects into the trap": Case(_redirected_segment, REFUSED),
    "HLS: key in the trap": _to_trap(_key, HLS),
    "HLS: init section in the trap": _to_trap(_init, HLS),
    "HLS: nested playlist in the trap": _to_trap(_nested, HLS),
    "HLS: segment of a nested playlist in the trap": Case(_nested_twice, REFUSED),
    "HLS: segment in a file": _to_file(_segment, HLS),
    "HLS: key in a file": _to_file(_key, HLS),
    "HLS: init section in a file": _to_file(_init, HLS),
    "HLS: nested playlist in a file": _to_file(_nested, HLS),
    "HLS: key in a data URL": Case(_serve(_key("data:,aaaaaaaaaaaaaaaa"), HLS), SCHEME),
    "HLS: playlist inside itself": Case(_nested_in_itself, _LIVE),
    "HLS: live": Case(
        _serve(_segment("/1.ts").replace("#EXT-X-ENDLIST", ""), HLS),
        _LIVE,
    ),
    "HLS: no segments": Case(_serve(hls(), HLS), _LIVE),
    "HLS: called text": _to_trap(_segment, "text/plain"),
    "DASH: base in the trap": _to_trap(lambda url: dash(f"<BaseURL>{url}</BaseURL>"), DASH),
    "DASH: base of all in the trap": _to_trap(
        lambda url: dash("<BaseURL>v.mp4</BaseURL>", f"<BaseURL>{url}/</BaseURL>"), DASH
    ),
    "DASH: segment in the trap": _to_trap(_dash_segments, DASH),
    "DASH: init section in the trap": _to_trap(_dash_init, DASH),
    "DASH: segment in a file": _to_file(_dash_segments, DASH),
    "DASH: base in a file": _to_file(
        lambda url: dash(f"<BaseURL>{url}</BaseURL>"), DASH, "failed acquire not_found"
    ),
    "DASH: a billion laughs": Case(_serve(_billion_laughs(), DASH), NO_VIDEO),
    "DASH: an entity from a file": Case(
        _serve(
            dash("&x;").replace("<MPD", f'<!DOCTYPE m [<!ENTITY x SYSTEM "{_FILE}">]><MPD'), DASH
        ),
        NO_VIDEO,
    ),
    "DASH: a hundred thousand elements deep": Case(_serve(dash("<a>" * 100_000), DASH), NO_VIDEO),
}
