"""Pages and playlists through the real yt-dlp, against a local server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streamer.acquire.page import has_extractor, plain_words
from streamer.errors import JobFailed, JobRejected, StreamerError, Unavailable
from tests.acquire.conftest import Settings, fetch
from tests.web import GOOD_BYTES, Exchange, Web

HTML = "text/html; charset=utf-8"
HLS = "application/vnd.apple.mpegurl"


def page(body: str, title: str = "A walk") -> bytes:
    head = f'<title>{title}</title><meta property="og:description" content="On the beach">'
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode()


def hls(*segments: str, end: bool = True, tags: str = "") -> bytes:
    lines = [f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n{tags}"]
    lines += [f"#EXTINF:4.0,\n{segment}\n" for segment in segments]
    return "".join([*lines, "#EXT-X-ENDLIST\n" if end else ""]).encode()


def refused(url: str, settings: Settings, **changes: object) -> StreamerError:
    with pytest.raises(StreamerError) as caught:
        fetch(url, settings(**changes))
    assert caught.value.stage == "acquire"
    assert len(caught.value.message) <= 300
    assert caught.value.message.isprintable()
    return caught.value


def test_a_page_with_a_video(web: Web, settings: Settings) -> None:
    url = web.serve("/page", page('<video src="/good.mp4"></video>'), HTML)
    media, content = fetch(url, settings())
    assert content == GOOD_BYTES
    # yt-dlp numbers the videos of a page it does not know, even a single one.
    assert (media.title, media.description) == ("A walk (1)", "On the beach")
    assert not media.path.exists()


@pytest.mark.parametrize("content_type", [HLS, "text/plain"])
def test_a_playlist_of_segments_becomes_one_file(
    web: Web, settings: Settings, content_type: str
) -> None:
    web.serve("/1.ts", GOOD_BYTES)
    web.serve("/2.ts", GOOD_BYTES)
    url = web.serve("/list.m3u8", hls("/1.ts", "/2.ts"), content_type)
    assert fetch(url, settings())[1] == GOOD_BYTES * 2


def test_a_master_playlist_gives_its_best_variant_up_to_1080(web: Web, settings: Settings) -> None:
    variants = []
    for height in (360, 1080, 2160):
        web.serve(f"/{height}.ts", GOOD_BYTES[:height])
        web.serve(f"/{height}.m3u8", hls(f"/{height}.ts"), HLS)
        size = f"RESOLUTION={height * 16 // 9}x{height}"
        variants.append(f"#EXT-X-STREAM-INF:BANDWIDTH={height}000,{size}\n/{height}.m3u8\n")
    url = web.serve("/master.m3u8", ("#EXTM3U\n" + "".join(variants)).encode(), HLS)
    assert len(fetch(url, settings())[1]) == 1080


def test_a_dash_manifest(web: Web, settings: Settings) -> None:
    manifest = """<?xml version="1.0"?>
    <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S">
    <Period><AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1" width="64"
    height="36" codecs="avc1.64001f"><BaseURL>good.mp4</BaseURL></Representation></AdaptationSet>
    </Period></MPD>"""
    url = web.serve("/a.mpd", manifest.encode(), "application/dash+xml")
    assert fetch(url, settings())[1] == GOOD_BYTES


REJECTED = {
    "not_a_video": page("words only"),
    "playlist": page('<video src="/good.mp4"></video><video src="/chunked.mp4"></video>'),
    "no_video_stream": page('<audio src="/sound.mp3"></audio>'),
}


@pytest.mark.parametrize("kind", REJECTED)
def test_pages_without_exactly_one_video(web: Web, settings: Settings, kind: str) -> None:
    web.serve("/sound.mp3", GOOD_BYTES, "audio/mpeg")
    failure = refused(web.serve("/page", REJECTED[kind], HTML), settings)
    assert (type(failure), failure.kind) == (JobRejected, kind)


def test_a_page_that_calls_itself_a_video(web: Web, settings: Settings) -> None:
    failure = refused(web.serve("/odd.mp4", page("words only"), "video/mp4"), settings)
    assert (type(failure), failure.kind) == (JobRejected, "not_a_video")


def test_a_live_stream(web: Web, settings: Settings) -> None:
    failure = refused(web.serve("/live.m3u8", hls("/1.ts", end=False), HLS), settings)
    assert (type(failure), failure.kind) == (JobRejected, "live_stream")


def test_a_protected_stream(web: Web, settings: Settings) -> None:
    key = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple.streamingkeydelivery"'
    failure = refused(web.serve("/drm.m3u8", hls("/1.ts", tags=f"{key}\n"), HLS), settings)
    assert (type(failure), failure.kind) == (JobFailed, "drm")


@pytest.mark.parametrize(
    ("path", "error", "kind"),
    [
        ("/missing", JobFailed, "not_found"),
        ("/status/403", JobFailed, "forbidden"),
        ("/status/500", Unavailable, "http_unavailable"),
        ("/status/429", Unavailable, "http_unavailable"),
        ("/reset.mp4", Unavailable, "connection_reset"),
        ("/short.mp4", Unavailable, "connection_reset"),
        ("/endless.mp4", JobRejected, "too_large"),
    ],
)
@pytest.mark.parametrize("kind_of_page", ["html", "hls"])
def test_the_media_behind_a_page_fails_as_it_would_alone(
    web: Web,
    settings: Settings,
    kind_of_page: str,
    path: str,
    error: type[StreamerError],
    kind: str,
) -> None:
    html = page(f'<video src="{path}"></video>')
    body, content_type = (html, HTML) if kind_of_page == "html" else (hls(path), HLS)
    failure = refused(web.serve("/page", body, content_type), settings)
    assert (type(failure), failure.kind) == (error, kind)


def test_segments_count_together(web: Web, settings: Settings) -> None:
    url = web.serve("/list.m3u8", hls(*["/good.mp4"] * 5), HLS)
    failure = refused(url, settings, max_bytes=3 * len(GOOD_BYTES))
    assert failure.kind == "too_large"


def test_a_page_that_drips_meets_the_total_timeout(web: Web, settings: Settings) -> None:
    url = web.serve("/page", page('<video src="/drip-body.mp4"></video>'), HTML)
    failure = refused(url, settings, total_timeout_seconds=1.0)
    assert (type(failure), failure.kind) == (Unavailable, "timeout")


def test_an_endless_page(web: Web, settings: Settings) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.begin(200, HTML, {"Transfer-Encoding": "chunked"})
        while not web.stopping.is_set():
            exchange.wfile.write(b"5\r\n<p>x \r\n" * 1000)

    web.answers["/page"] = endless
    assert refused(web.url("/page"), settings).kind == "too_large"


def test_credentials_of_a_page_stay_out_of_messages(web: Web, settings: Settings) -> None:
    url = web.serve("/page", page("words only"), HTML).replace("//", "//user:s3cret@")
    assert "s3cret" not in refused(url, settings).message


ESCAPES: dict[str, tuple[str, Callable[[str], tuple[bytes, str]]]] = {
    "embed": ("/page", lambda trap: (page(f'<video src="{trap}"></video>'), HTML)),
    "segment": ("/list.m3u8", lambda trap: (hls(trap), HLS)),
    "second segment": ("/list.m3u8", lambda trap: (hls("/good.mp4", trap), HLS)),
    "key": (
        "/list.m3u8",
        lambda trap: (hls("/good.mp4", tags=f'#EXT-X-KEY:METHOD=AES-128,URI="{trap}"\n'), HLS),
    ),
}


@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_on_a_page_leads_to_a_refused_address(
    web: Web, trap: Web, settings: Settings, name: str
) -> None:
    path, make = ESCAPES[name]
    failure = refused(web.serve(path, *make(trap.url("/good.mp4"))), settings)
    assert (type(failure), failure.kind) == (JobRejected, "address_refused")


def test_no_redirect_of_a_segment_leads_to_a_refused_address(
    web: Web, trap: Web, settings: Settings
) -> None:
    web.redirect("/1.ts", trap.url("/good.mp4"))
    failure = refused(web.serve("/list.m3u8", hls("/1.ts"), HLS), settings)
    assert failure.kind == "address_refused"


def test_the_body_of_a_redirect_is_not_read(web: Web, settings: Settings) -> None:
    def redirect(exchange: Exchange) -> None:
        headers = {"Location": "/good.mp4", "Transfer-Encoding": "chunked"}
        exchange.begin(302, "text/plain", headers)
        while not web.stopping.is_set():
            exchange.wfile.write(b"5\r\nxxxxx\r\n" * 1000)

    web.answers["/1.ts"] = redirect
    url = web.serve("/list.m3u8", hls("/1.ts"), HLS)
    assert fetch(url, settings())[1] == GOOD_BYTES
    assert fetch(web.url("/1.ts"), settings())[1] == GOOD_BYTES


def test_a_page_that_turns_clients_away(web: Web, settings: Settings) -> None:
    web.answers["/page"] = lambda exchange: exchange.reply(b"no", status=403, content_type=HTML)
    failure = refused(web.url("/page"), settings)
    assert (type(failure), failure.kind) == (JobFailed, "forbidden")


def test_sites_that_yt_dlp_knows() -> None:
    assert has_extractor("https://www.youtube.com/watch?v=aaaaaaaaaaa")
    assert not has_extractor("https://host.example/watch?v=aaaaaaaaaaa")


def test_a_file_named_by_a_page_is_not_read(web: Web, settings: Settings) -> None:
    url = web.serve("/list.m3u8", hls("file:///etc/hostname"), HLS)
    failure = refused(url, settings)
    assert (type(failure), failure.kind) == (JobRejected, "unsupported_scheme")


def test_a_page_that_takes_hours_to_read_is_given_up(web: Web, settings: Settings) -> None:
    url = web.serve("/page", page("<a " * 1_000_000), HTML)
    failure = refused(url, settings, max_bytes=10 << 20, page_cpu_seconds=0.5)
    assert (type(failure), failure.kind) == (JobRejected, "page_too_complex")
    assert "acquire.page_cpu_seconds" in failure.message


WORDS: dict[str, tuple[object, str | None]] = {
    "two lines": ("A walk\non the beach", "A walk\non the beach"),
    "control characters": ("a\0\x1b[31m\u202eb\ud800 ", "a  [31m b"),
    "a joiner": ("\u06cc\u200c\u062e", "\u06cc\u200c\u062e"),
    "a book": ("x" * 20_000, "x" * 10_000),
    "nothing that can be seen": (" \0 ", None),
    "no text": ({"a": 1}, None),
}


@pytest.mark.parametrize("name", WORDS)
def test_what_a_page_says_is_plain_words(name: str) -> None:
    said, kept = WORDS[name]
    assert plain_words(said) == kept


def test_yt_dlp_ignores_the_proxies_of_the_environment(
    web: Web, trap: Web, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, trap.url(""))
    url = web.serve("/page", page('<video src="/good.mp4"></video>'), HTML)
    assert fetch(url, settings())[1] == GOOD_BYTES
