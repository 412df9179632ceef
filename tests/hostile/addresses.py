"""Addresses that must not be reached, in every form that some resolver or library takes."""

from __future__ import annotations

from tests.hostile.place import Case, Place
from tests.web import Exchange

REFUSED = "rejected acquire address_refused"
BAD_URL = "rejected acquire bad_url"
SCHEME = "rejected acquire unsupported_scheme"

_HOSTS = {
    "loopback": "127.0.0.1",
    "loopback, the other end": "127.255.255.254",
    "loopback, decimal": "2130706433",
    "loopback, octal": "0177.0.0.1",
    "loopback, one octal number": "017700000001",
    "loopback, hexadecimal": "0x7f000001",
    "loopback, hexadecimal parts": "0x7F.0x0.0x0.0x1",
    "loopback, mixed parts": "0x7f.0.01",
    "loopback, short": "127.1",
    "loopback, with a dot behind": "127.0.0.1.",
    "loopback, circled digits": "①②⑦.0.0.1",
    "loopback, ideographic stops": "127。0。0。1",
    "loopback, percent-encoded": "127%2e0%2e0%2e1",
    "this host": "0.0.0.0",
    "this host, short": "0",
    "private, 10/8": "10.0.0.1",
    "private, 10/8, short": "10.1",
    "private, 172.16/12": "172.31.255.254",
    "private, 192.168/16": "192.168.0.1",
    "private, 192.168/16, octal": "0300.0250.0.1",
    "carrier-grade NAT": "100.64.0.1",
    "link-local": "169.254.1.1",
    "metadata": "169.254.169.254",
    "metadata, decimal": "2852039166",
    "metadata, hexadecimal": "0xa9fea9fe",
    "metadata, octal": "0251.0376.0251.0376",
    "metadata of Alibaba": "100.100.100.200",
    "metadata of Azure": "168.63.129.16",
    "metadata of Oracle": "192.0.0.192",
    "metadata over IPv6": "[fd00:ec2::254]",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "documentation": "192.0.2.1",
    "benchmarking": "198.18.0.1",
    "reserved": "240.0.0.1",
    "IPv6 loopback": "[::1]",
    "IPv6 loopback, spelt out": "[0:0:0:0:0:0:0:1]",
    "IPv6 unspecified": "[::]",
    "IPv6 private": "[fc00::1]",
    "IPv6 link-local": "[fe80::1]",
    "IPv6 link-local, with a zone": "[fe80::1%25eth0]",
    "IPv6 loopback, with a zone": "[::1%25lo]",
    "IPv6 site-local": "[fec0::1]",
    "IPv6 multicast": "[ff02::1]",
    "IPv4-mapped": "[::ffff:127.0.0.1]",
    "IPv4-mapped, hexadecimal": "[::ffff:7f00:1]",
    "IPv4-mapped, with a zone": "[::ffff:127.0.0.1%251]",
    "IPv4-mapped metadata": "[::ffff:169.254.169.254]",
    "IPv4-compatible": "[::127.0.0.1]",
    "IPv4-translated": "[::ffff:0:127.0.0.1]",
    "NAT64": "[64:ff9b::7f00:1]",
    "NAT64 metadata": "[64:ff9b::169.254.169.254]",
    "NAT64, local prefix": "[64:ff9b:1::7f00:1]",
    "6to4": "[2002:7f00:1::1]",
    "Teredo": "[2001:0:7f00:1::f7f7:f7f7]",
    "localhost": "localhost",
    "localhost, in capitals": "LOCALHOST",
    "localhost, with a dot behind": "localhost.",
    "below localhost": "cdn.localhost",
    "userinfo like a host": "good.example@127.0.0.1",
    "userinfo with a password": "user:s3cret@127.0.0.1",
    "userinfo like a host and port": "good.example%3A80@127.0.0.1",
}


def _by_host(host: str) -> Case:
    return Case(lambda place: place.trapped(host), REFUSED)


def _redirect_to(location: str, ends: str) -> Case:
    return Case(lambda place: place.web.redirect("/away", location), ends)


def _redirect_into_trap(host: str, status: int = 302) -> Case:
    return Case(lambda place: place.web.redirect("/away", place.trapped(host), status), REFUSED)


def _long_way(place: Place) -> str:
    """Allowed redirects, then one that is not."""
    for step in range(5):
        place.web.redirect(f"/{step}", f"/{step + 1}")
    place.web.redirect("/5", place.trapped())
    return place.web.url("/0")


def _redirect_further(exchange: Exchange) -> None:
    exchange.reply(b"", status=302, headers={"Location": f"{exchange.path}?x"})


CASES = {
    **{f"address: {name}": _by_host(host) for name, host in _HOSTS.items()},
    "scheme in capitals": Case(lambda place: place.trapped(scheme="HTTP"), REFUSED),
    "https to loopback": Case(lambda place: place.trapped(scheme="https"), REFUSED),
    "no address behind a hash": Case(
        lambda place: f"http://127.0.0.1:{place.trap.port}#@good.example/", REFUSED
    ),
    "backslash before the host": Case(lambda _: "http://good.example\\@127.0.0.1/", BAD_URL),
    "tab in the host": Case(lambda _: "http://127.0.\t0.1/", BAD_URL),
    "NUL in the URL": Case(lambda _: "http://good.example/\0.mp4", BAD_URL),
    "header injection": Case(lambda _: "http://good.example/ HTTP/1.1\r\nX: y", BAD_URL),
    "no host": Case(lambda _: "http:///video.mp4", BAD_URL),
    "port out of range": Case(lambda _: "http://good.example:99999/", BAD_URL),
    "IPv6 without its end": Case(lambda _: "http://[::1/video.mp4", BAD_URL),
    "host of 300 letters": Case(lambda _: f"http://{'a' * 300}.example/", BAD_URL),
    "scheme: ftp": Case(lambda _: "ftp://127.0.0.1/a.mp4", SCHEME),
    "scheme: gopher": Case(lambda _: "gopher://127.0.0.1:70/_x", SCHEME),
    "scheme: data": Case(lambda _: "data:video/mp4;base64,AAAA", SCHEME),
    "scheme: rtsp": Case(lambda _: "rtsp://127.0.0.1/live", SCHEME),
    "scheme: concat of FFmpeg": Case(lambda _: "concat:/etc/passwd|/etc/hosts", SCHEME),
    "scheme: pipe of FFmpeg": Case(lambda _: "pipe:0", SCHEME),
    "scheme: javascript": Case(lambda _: "javascript:alert(1)", SCHEME),
    "redirect to loopback": _redirect_into_trap("127.0.0.1"),
    "redirect to loopback, kept method": _redirect_into_trap("127.0.0.1", 307),
    "redirect to loopback, decimal": _redirect_into_trap("2130706433"),
    "redirect to loopback, mapped": _redirect_into_trap("[::ffff:127.0.0.1]"),
    "redirect to localhost": _redirect_into_trap("localhost"),
    "redirect to metadata": _redirect_to("http://169.254.169.254/latest/", REFUSED),
    "redirect without a scheme": Case(
        lambda place: place.web.redirect("/away", f"//127.0.0.1:{place.trap.port}/"), REFUSED
    ),
    "redirect after five others": Case(_long_way, REFUSED),
    "redirect to a file": _redirect_to("file:///etc/passwd", SCHEME),
    "redirect to data": _redirect_to("data:video/mp4,x", SCHEME),
    "redirect with a broken host": _redirect_to("http://[::1", "failed acquire http_error"),
    "redirect to itself": _redirect_to("/away", "failed acquire too_many_redirects"),
    "redirects without end": Case(
        lambda place: place.answered(_redirect_further), "failed acquire too_many_redirects"
    ),
}
