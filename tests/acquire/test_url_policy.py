"""What may be opened, in all the ways an address can be written."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config import AcquireSettings
from streamer.errors import JobRejected
from streamer.url_policy import AddressPolicy, one_line, parse_source, shown

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2001:4860:4860::8888"]
# Public IPv4 inside IPv6: mapped, 6to4, NAT64.
PUBLIC += ["::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"]

REFUSED = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.251",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001:0:7f00:1::f7f7:f7f7",
    "2001:0:808:808::80ff:fffe",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:c0a8:101::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert AddressPolicy().permits(ip_address(address))


@pytest.mark.parametrize("address", REFUSED)
def test_refused_addresses(address: str) -> None:
    assert not AddressPolicy().permits(ip_address(address))


@given(st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_an_allowed_network_holds_in_every_spelling(address: object) -> None:
    policy = AddressPolicy((ip_network("10.0.0.0/8"),))
    assert policy.permits(ip_address(str(address)))
    assert policy.permits(ip_address(f"::ffff:{address}"))
    assert not policy.permits(ip_address("127.0.0.1"))


SPELLINGS_OF_LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:7f00:1]",
]


@pytest.mark.parametrize("host", SPELLINGS_OF_LOOPBACK)
def test_loopback_in_every_spelling(host: str) -> None:
    with pytest.raises(JobRejected, match=r"acquire\.allowed_networks") as caught:
        parse_source(f"http://{host}:80/a.mp4", AcquireSettings())
    assert caught.value.kind == "address_refused"


@pytest.mark.parametrize(
    "host", ["example.org", "cafe.be", "8.8.8.8", "dead.beef.example", "bücher.de"]
)
def test_hosts_left_to_the_connection(host: str) -> None:
    url = f"https://{host}/a.mp4"
    assert parse_source(url, AcquireSettings()) == url


@pytest.mark.parametrize(
    "url",
    ["rtsp://h/a", "ftp://h/a", "data:video/mp4,x", "javascript:alert(1)", "s3://b/k", "blob:x"],
)
def test_other_schemes(url: str) -> None:
    with pytest.raises(JobRejected, match="use file, http, https") as caught:
        parse_source(url, AcquireSettings())
    assert (caught.value.kind, caught.value.stage) == ("unsupported_scheme", "acquire")


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "http://",
        "http:///path",
        "http:path",
        "http://[::1",
        "http://host:99999/",
        "http://host:port/",
        "http://a b/",
        "http://good.example\\@127.0.0.1/",
        "http://host/\nHost: x",
        "http://host/\x00",
        "file:relative.mp4",
        "file://elsewhere/a.mp4",
        "file:///a.mp4?x=1",
        "file:///a#1.mp4",
        "file:///a%00.mp4",
    ],
)
def test_malformed(url: str) -> None:
    with pytest.raises(JobRejected) as caught:
        parse_source(url, AcquireSettings())
    assert caught.value.kind == "bad_url"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/a/b.mp4", "/a/b.mp4"),
        ("b.mp4", "b.mp4"),
        ("./odd:name.mp4", "odd:name.mp4"),
        ("file:///a/b%20c%23.mp4", "/a/b c#.mp4"),
        ("file://localhost/a.mp4", "/a.mp4"),
        ("FILE:/a.mp4", "/a.mp4"),
    ],
)
def test_local_paths(url: str, path: str) -> None:
    assert parse_source(url, AcquireSettings()) == Path(path)


def test_messages_hide_what_is_secret() -> None:
    assert shown("https://user:pass@host/a?token=t#f") == "https://***@host/a"
    assert one_line("see https://u:p@h/a?sig=abc now") == "see https://***@h/a?… now"


@given(st.text(max_size=600))
def test_messages_are_one_printable_line(text: str) -> None:
    message = one_line(text)
    assert message.isprintable()
    assert len(message) <= 300


@given(st.text(max_size=40))
def test_any_text_is_read_or_rejected(text: str) -> None:
    for url in (text, f"http://{text}", f"file://{text}"):
        try:
            assert isinstance(parse_source(url, AcquireSettings()), (str, Path))
        except JobRejected as rejection:
            assert rejection.message.isprintable()  # noqa: PT017
