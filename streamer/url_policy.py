"""Which URLs and addresses the service may open, and how it names them in messages.

Two gates. ``parse_source`` reads a URL before anything happens and gives a clear message early.
``AddressPolicy`` judges each address at the moment of connecting; it is the one that counts,
because a name may resolve to something else a second later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from streamer.config import AcquireSettings
from streamer.errors import JobRejected

SCHEMES = ("file", "http", "https")
STAGE = "acquire"
MESSAGE_LIMIT = 300
_URL_LIMIT = 120

IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_USERINFO = re.compile(r"//[^/?#\s]*@")
_QUERY = re.compile(r"(?<=\S)\?[^\s'\"<>]+")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")

# RFC 6052: IPv6 that a gateway turns into IPv4. (RFC 8215's local prefix is not public at all.)
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE = IPv6Network("::/96")
# What `is_global` of some Python releases calls public.
_NEVER_PUBLIC = (
    IPv4Network("168.63.129.16/32"),  # Answers inside one cloud only, with a machine's secrets.
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; another cloud's metadata.
    IPv4Network("192.88.99.0/24"),  # Relays into 6to4, retired.
    IPv6Network("3fff::/20"),  # Documentation.
    IPv6Network("5f00::/16"),  # Segment routing inside one network.
)


def _reject(kind: str, message: str) -> NoReturn:
    raise JobRejected(one_line(message), kind=kind, stage=STAGE)


def one_line(text: str) -> str:
    """``text`` for a record: one line, printable, no credentials or URL queries, 300 characters."""
    text = _QUERY.sub("?…", _USERINFO.sub("//***@", text))
    text = "".join(char if char.isprintable() else " " for char in text)
    text = " ".join(text.split())
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


def shown(url: str) -> str:
    """``url`` as messages name it: without credentials, query and fragment, 120 characters."""
    text = one_line(url.partition("#")[0].partition("?")[0])
    return text if len(text) <= _URL_LIMIT else text[: _URL_LIMIT - 1] + "…"


def host_of(url: str) -> str:
    """The host of a URL that was read before, as messages name it."""
    return urlsplit(url).hostname or "the host"


@dataclass(frozen=True)
class AddressPolicy:
    """Public addresses, and those inside ``allowed`` networks."""

    allowed: tuple[Network, ...] = ()

    def permits(self, address: IPAddress) -> bool:
        """Whether a connection to ``address`` may be made; every IPv4 inside an IPv6 counts."""
        if self._listed(address):
            return True
        inner = _embedded(address)
        if inner:
            return all(self.permits(each) for each in inner)
        return _is_public(address)

    def permits_literal(self, host: str) -> bool:
        """Whether ``host``, as the host part of a URL, is not visibly an address refused here."""
        addresses = _literal_addresses(host)
        return not addresses or any(self.permits(address) for address in addresses)

    def _listed(self, address: IPAddress) -> bool:
        return any(address.version == net.version and address in net for net in self.allowed)


def _is_public(address: IPAddress) -> bool:
    # `is_global` alone calls multicast public, and its tables differ between Python releases.
    never = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or any(address.version == net.version and address in net for net in _NEVER_PUBLIC)
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
    return address.is_global and not never


def _embedded(address: IPAddress) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses a mapped, 6to4, Teredo, NAT64 or IPv4-compatible address leads to."""
    if isinstance(address, IPv4Address):
        return ()
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    compatible = address in _IPV4_COMPATIBLE and int(address) > 1
    if compatible or address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    return ()


def _literal_addresses(host: str) -> list[IPAddress]:
    """The addresses ``host`` spells out, in any form a resolver accepts; none for a real name."""
    name = unicodedata.normalize("NFKC", host).replace("。", ".").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return [IPv4Address("127.0.0.1"), IPv6Address("::1")]
    try:
        return [ipaddress.ip_address(name)]
    except ValueError:
        pass  # Not the canonical form; resolvers also take 2130706433, 0x7f.1 and 0177.0.0.1.
    if not re.fullmatch(r"[0-9a-fx.]+", name):
        return []
    try:
        return [IPv4Address(socket.inet_aton(name))]
    except (OSError, ValueError):
        return []  # A name made of these letters, such as `cafe.be`.


def parse_source(url: str, settings: AcquireSettings) -> Path | str:
    """What ``url`` names: a local path (not yet checked against the roots), or a web URL.

    Raises:
        JobRejected: ``bad_url``, ``unsupported_scheme`` or ``address_refused``.
    """
    if not url.strip() or "\0" in url:
        _reject("bad_url", "the URL is empty or holds a NUL; send a URL or a path")
    scheme = _SCHEME.match(url)
    if scheme is None:
        return Path(url)
    if scheme[1].lower() == "file":
        return _file_path(url)
    return check_web_url(url, settings)


def _file_path(url: str) -> Path:
    parts = _split(url)
    if parts.query or parts.fragment:
        _reject("bad_url", "a file URL has a query or fragment; write ? as %3F and # as %23")
    if parts.netloc.lower() not in ("", "localhost") or not parts.path.startswith("/"):
        _reject("bad_url", "a file URL must be file:///absolute/path on this machine")
    path = unquote(parts.path, errors="surrogateescape")
    if "\0" in path:
        _reject("bad_url", "the path holds a NUL")
    return Path(path)


def check_web_url(url: str, settings: AcquireSettings) -> str:
    """``url``, if it is well formed, http(s), and does not spell out a refused address.

    Raises:
        JobRejected: ``bad_url``, ``unsupported_scheme`` or ``address_refused``.
    """
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() not in ("http", "https"):
        name = scheme[1][:40] if scheme else "none"
        _reject("unsupported_scheme", f"scheme {name}: is not taken; use {', '.join(SCHEMES)}")
    if _UNSAFE_IN_URL.search(url):
        _reject("bad_url", "the URL holds a space, backslash or control character; percent-encode")
    host = _split(url).hostname
    if not host:
        _reject("bad_url", "the URL names no host; send https://host/path")
    if not AddressPolicy(settings.allowed_networks).permits_literal(host):
        _reject("address_refused", refusal_message(host))
    return url


def refusal_message(host: str) -> str:
    """Why a connection to ``host`` was refused, and the setting that would allow it."""
    return (
        f"{host} is not a public address; to fetch from it, "
        "add its network to the setting acquire.allowed_networks"
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # Reading it is what checks it.
    except ValueError:
        _reject(
            "bad_url", "the host or port of the URL cannot be read; send https://host:port/path"
        )
    return parts
