"""Inputs for fuzzing: sound ones that were spoilt, and hostile ones spelt in odd ways."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from random import Random

from tests.media import Coding, numbered_video

# Addresses that must not be reached; the trap listens on the first.
FORBIDDEN = (
    "127.0.0.1", "127.0.0.1", "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255",  # noqa: S104
)  # fmt: skip
_TOKENS = (
    b"\0", b"\r\n", b"\xff\xfe", b"%00", b"%2e%2e/", b"../", b"@", b"\\", b"#", b"?", b"//", b"[",
    b"]", b"{", b"}", b'"', b"NaN", b"1e999", b"-1", b"null", b"\\ud800", b"9" * 400, b"file:///",
    b"http://", b"#EXT-X-KEY:METHOD=AES-128,URI=", b"#EXT-X-MAP:URI=", b"<BaseURL>", b"&#0;",
    b"\xe2\x80\xae", b"\xf0\x9f\x98\x80",
)  # fmt: skip
_SCHEMES = (*["http"] * 12, "https", "HTTP", "file", "ftp", "data", "", "concat", "h\u0442tp")
_USERS = ("", "", "", "", "", "", "good.example@", "user:s3cret@", "a%40b@", "\\@", "[::1]@")
_PATHS = (
    "/a.mp4",
    "",
    "/%2e%2e/a",
    "/a?b=c#d",
    "/\u202e4pm.a",
    "//a",
    "/a b",
    "#@good.example/",
    ":80/",
)

JOBS = (
    b"https://good.example/a.mp4",
    b'{"url": "https://good.example/a.mp4"}',
    b'{"url": "/a.mp4", "video_id": "v", "spans": [[0, 1.5], [2, 3e1]], "options": '
    b'{"preset": "panda-released", "captions": false}}',
    b'{"url": "/a.mp4", "metadata": {"title": "A", "description": null, "subtitles": '
    b'[{"start": 1.5, "end": 3.0, "text": "Hello."}], "tags": [1, {"deep": [[[]]]}]}}',
)


def mutated(random: Random, content: bytes) -> bytes:
    """``content`` with some bytes changed, taken out, repeated, or put in."""
    data = bytearray(content)
    for _ in range(random.choice((0, 1, 1, 2, 4, 8))):
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + random.choice((0, 1, 2, 4, 16, 64)))
        new = random.choice(
            (b"", random.randbytes(end - start), 2 * bytes(data[start:end]), random.choice(_TOKENS))
        )
        data[start:end] = new
    return bytes(data)


def videos(folder: Path) -> list[bytes]:
    """Small sound videos in several containers and codecs."""
    codings = {
        "mp4": Coding(rotation=90, pixel_shape=Fraction(4, 3)),
        "mkv": Coding(),
        "ts": Coding(),
        "avi": Coding("mpeg4", b_frames=0),
        "webm": Coding("libvpx-vp9", b_frames=0),
        "flv": Coding("flv", b_frames=0),
    }
    paths = ((folder / f"sound.{name}", coding) for name, coding in codings.items())
    return [numbered_video(path, 12, (64, 48), coding).read_bytes() for path, coding in paths]


def spoilt(random: Random, content: bytes) -> bytes:
    """``content`` with some numbers made odd, and now and then cut off: its shape stays."""
    data = bytearray(content)
    for _ in range(random.choice((1, 2, 4, 8, 32))):
        start, size = random.randrange(len(data)), random.choice((1, 1, 2, 4, 8))
        largest = b"\x7f" + b"\xff" * (size - 1)
        new = random.choice((random.randbytes(size), b"\xff" * size, bytes(size), largest))
        data[start : start + size] = new
    if random.random() < 0.1:
        del data[random.randrange(len(data)) :]
    return bytes(data)


def job(random: Random) -> bytes:
    """A message on ``videos``, more or less."""
    if random.random() < 0.3:
        return mutated(random, json.dumps({"url": url(random, 80)}).encode())
    return mutated(random, random.choice(JOBS))


def url(random: Random, port: int) -> str:
    """A URL, often one of an address that must not be reached."""
    text = _plain_url(random, port)
    if random.random() < 0.2:
        return mutated(random, text.encode()).decode(errors="replace")
    return text


def _plain_url(random: Random, port: int) -> str:
    scheme, user, path = (random.choice(each) for each in (_SCHEMES, _USERS, _PATHS))
    ports = random.choice((*[f":{port}"] * 9, "", ":", ":99999", ":0x50"))
    return f"{scheme}://{user}{host(random)}{ports}{path}"


def host(random: Random) -> str:
    """A name, or a forbidden address in one of its many spellings."""
    if random.random() < 0.2:
        return random.choice(
            ("good.example", "localhost", "a.localhost.", "xn--a", "8.8.8.8", "é.fr")
        )
    address = IPv4Address(random.choice(FORBIDDEN))
    spelling = random.choice(_SPELLINGS)(random, address)
    return random.choice((spelling, spelling, spelling.upper(), f"{spelling}.", f"[{spelling}]"))


def _number(random: Random, value: int) -> str:
    return random.choice((str(value), hex(value), f"0{value:o}", f"0x{value:08x}", f"00{value:o}"))


def _parts(random: Random, address: IPv4Address) -> str:
    """In one to four parts, the last of which takes the rest; each in a base of its own."""
    count = random.randint(1, 4)
    first = [*address.packed[: count - 1]]
    rest = int.from_bytes(address.packed[count - 1 :])
    return ".".join(_number(random, part) for part in [*first, rest])


def _wide_digits(_: Random, address: IPv4Address) -> str:
    return "".join(chr(0xFF10 + int(c)) if c.isdigit() else "。" for c in str(address))


def _percent(random: Random, address: IPv4Address) -> str:
    return "".join(f"%{ord(c):02x}" if random.random() < 0.3 else c for c in str(address))


def _inside_ipv6(random: Random, address: IPv4Address) -> str:
    number = int(address)
    inside: Sequence[int] = (
        number | 0xFFFF << 32,  # mapped
        number,  # compatible
        number | 0xFFFF << 48,  # translated
        number | 0x64_FF9B << 96,  # NAT64
        0x2002 << 112 | number << 80 | 1,  # 6to4
        0x2001 << 112 | number << 64 | 0xF7F7_F7F7,  # Teredo
    )
    wide = IPv6Address(random.choice(inside))
    text = random.choice((str(wide), wide.exploded, f"::ffff:{address}"))
    return f"[{text}{random.choice(('', '', '%25lo', '%1'))}]"


_SPELLINGS: tuple[Callable[[Random, IPv4Address], str], ...] = (
    _parts, _parts, _wide_digits, _percent, _inside_ipv6, _inside_ipv6, lambda _, ip: str(ip),
)  # fmt: skip
