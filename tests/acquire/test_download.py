"""HTTP downloads against a real server that behaves well, badly and worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.acquire import acquire
from streamer.acquire.download import write_bounded
from streamer.acquire.failures import network_failure
from streamer.errors import JobFailed, JobRejected, StreamerError, Unavailable
from tests.acquire.conftest import Settings, fetch
from tests.web import GOOD_BYTES, HOST, Web, refused_port


@pytest.mark.parametrize("name", ["good", "chunked", "gzipped", "mislabelled"])
def test_the_bytes_arrive_whole(web: Web, settings: Settings, name: str) -> None:
    media, content = fetch(web.url(f"/{name}.mp4"), settings())
    assert content == GOOD_BYTES
    assert (media.size_bytes, media.title) == (len(GOOD_BYTES), None)
    assert not media.path.exists()


def test_the_file_goes_when_the_caller_fails(web: Web, settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), acquire(web.url("/good.mp4"), settings()) as media:
        _ = media.size_bytes / 0
    assert not media.path.parent.exists()


FAILURES: list[tuple[str, type[StreamerError], str]] = [
    ("/missing", JobFailed, "not_found"),
    ("/status/404", JobFailed, "not_found"),
    ("/status/410", JobFailed, "not_found"),
    ("/status/401", JobFailed, "forbidden"),
    ("/status/403", JobFailed, "forbidden"),
    ("/status/418", JobFailed, "http_error"),
    ("/status/429", Unavailable, "http_unavailable"),
    ("/status/500", Unavailable, "http_unavailable"),
    ("/status/503", Unavailable, "http_unavailable"),
    ("/empty.mp4", JobRejected, "not_a_video"),
    ("/endless.mp4", JobRejected, "too_large"),
    ("/gzip-bomb.mp4", JobRejected, "too_large"),
    ("/bad-gzip.mp4", JobFailed, "bad_encoding"),
    ("/short.mp4", Unavailable, "connection_reset"),
    ("/reset.mp4", Unavailable, "connection_reset"),
]


@pytest.mark.parametrize(("path", "error", "kind"), FAILURES)
def test_each_failure_has_its_kind(
    web: Web, settings: Settings, path: str, error: type[StreamerError], kind: str
) -> None:
    with pytest.raises(error) as caught:
        fetch(web.url(path), settings())
    assert (caught.value.kind, caught.value.stage) == (kind, "acquire")
    assert len(caught.value.message) <= 300
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("path", ["/drip-body.mp4", "/drip-headers.mp4"])
def test_a_slow_drip_meets_the_total_timeout(web: Web, settings: Settings, path: str) -> None:
    with pytest.raises(Unavailable, match="total_timeout_seconds") as caught:
        fetch(web.url(path), settings(total_timeout_seconds=0.3))
    assert caught.value.kind == "timeout"


def test_silence_meets_the_read_timeout(web: Web, settings: Settings) -> None:
    with pytest.raises(Unavailable, match=HOST) as caught:
        fetch(web.url("/silent.mp4"), settings(read_timeout_seconds=0.2))
    assert caught.value.kind == "timeout"


def test_a_declared_length_over_the_limit_is_enough(web: Web, settings: Settings) -> None:
    with pytest.raises(JobRejected, match=r"acquire\.max_bytes") as caught:
        fetch(web.url("/good.mp4"), settings(max_bytes=len(GOOD_BYTES) - 1))
    assert caught.value.kind == "too_large"
    assert len(fetch(web.url("/good.mp4"), settings(max_bytes=len(GOOD_BYTES)))[1])


def test_a_refused_port(settings: Settings) -> None:
    with pytest.raises(Unavailable) as caught:
        fetch(f"http://{HOST}:{refused_port()}/a.mp4", settings())
    assert caught.value.kind == "connection_refused"


def test_a_name_that_does_not_exist(settings: Settings) -> None:
    with pytest.raises(Unavailable) as caught:
        fetch("http://nobody.invalid/a.mp4", settings())
    assert caught.value.kind == "dns_failure"


def test_tls_where_there_is_none(web: Web, settings: Settings) -> None:
    with pytest.raises(JobFailed) as caught:
        fetch(web.url("/good.mp4").replace("http:", "https:"), settings())
    assert caught.value.kind == "tls_error"


def test_a_full_disk_is_worth_another_attempt() -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        write_bounded(iter([GOOD_BYTES]), Path("/dev/full"), 1 << 20)
    failure = network_failure(caught.value, "host")
    assert isinstance(failure, Unavailable)
    assert failure.kind == "disk_full"


def test_redirects_are_followed(web: Web, settings: Settings) -> None:
    web.redirect("/first", "/second")
    web.redirect("/second", web.url("/good.mp4"), status=307)
    assert fetch(web.url("/first"), settings())[1] == GOOD_BYTES


def test_a_redirect_loop_ends(web: Web, settings: Settings) -> None:
    web.redirect("/loop", "/loop")
    with pytest.raises(JobFailed) as caught:
        fetch(web.url("/loop"), settings())
    assert caught.value.kind == "too_many_redirects"


@pytest.mark.parametrize("location", ["file:///etc/hostname", "ftp://host/a", "data:video/mp4,x"])
def test_a_redirect_to_another_scheme_is_refused(
    web: Web, settings: Settings, location: str
) -> None:
    web.redirect("/away", location)
    with pytest.raises(JobRejected) as caught:
        fetch(web.url("/away"), settings())
    assert caught.value.kind == "unsupported_scheme"


def test_credentials_work_and_stay_out_of_messages(web: Web, settings: Settings) -> None:
    secret = web.url("/with-password.mp4").replace("//", "//user:s3cret@")
    assert fetch(secret, settings())[1] == GOOD_BYTES
    for path in ("/status/404", "/short.mp4", "/status/403"):
        with pytest.raises(StreamerError) as caught:
            fetch(web.url(path).replace("//", "//user:s3cret@"), settings())
        assert "s3cret" not in caught.value.message


def test_credentials_follow_a_redirect_on_the_same_host_only(web: Web, settings: Settings) -> None:
    with Web("127.0.0.3") as other:
        web.redirect("/near", "/with-password.mp4")
        web.redirect("/far", other.url("/with-password.mp4"))
        allowed = settings(allowed_networks=(f"{HOST}/32", "127.0.0.3/32"))
        near, far = (web.url(path).replace("//", "//user:s3cret@") for path in ("/near", "/far"))
        assert fetch(near, allowed)[1] == GOOD_BYTES
        with pytest.raises(JobFailed):
            fetch(far, allowed)
        assert "Authorization" not in other.requests[0].headers


def test_the_environment_names_no_proxy(
    web: Web, trap: Web, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, trap.url(""))
    assert fetch(web.url("/good.mp4"), settings())[1] == GOOD_BYTES
