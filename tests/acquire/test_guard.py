"""The connection guard beneath real sockets, and fetches that try to get past it."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from streamer.acquire.guard import BlockedByGuard, guarded
from streamer.errors import JobRejected, Unavailable
from streamer.url_policy import AddressPolicy
from tests.acquire.conftest import Settings, fetch
from tests.web import GOOD_BYTES, HOST, Web

POLICY = AddressPolicy((ip_network(f"{HOST}/32"),))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_refused_address(
    web: Web, trap: Web, settings: Settings, status: int
) -> None:
    web.redirect("/away", trap.url("/good.mp4"), status)
    with pytest.raises(JobRejected) as caught:
        fetch(web.url("/away"), settings())
    assert caught.value.kind == "address_refused"


def test_a_name_that_resolves_to_a_refused_address(
    trap: Web, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_for_real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any) -> object:
        return resolve_for_real("127.0.0.1" if host == "public.example" else host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(JobRejected, match=r"127\.0\.0\.1 .*allowed_networks") as caught:
        fetch(f"http://public.example:{trap.port}/good.mp4", settings())
    assert caught.value.kind == "address_refused"


def _connect_by_name(trap: Web) -> None:
    with socket.socket() as client:
        client.connect(("localhost", trap.port))


def _connect_without_exception(trap: Web) -> None:
    with socket.socket() as client:
        client.connect_ex((trap.host, trap.port))


def _connect_over_ipv6(trap: Web) -> None:
    with socket.socket(socket.AF_INET6) as client:
        client.connect((f"::ffff:{trap.host}", trap.port))


def _connect_to_a_local_socket(_: Web) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("/nowhere")


def _send_a_datagram(trap: Web) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(b"x", (trap.host, trap.port))


def _connect_in_a_thread(trap: Web) -> None:
    def connect() -> None:
        with pytest.raises(BlockedByGuard):
            socket.create_connection((trap.host, trap.port))

    thread = threading.Thread(target=connect)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    "escape",
    [
        _connect_by_name,
        _connect_without_exception,
        _connect_over_ipv6,
        _connect_to_a_local_socket,
        _send_a_datagram,
        _connect_in_a_thread,
    ],
)
def test_every_way_to_connect_is_seen(trap: Web, escape: Callable[[Web], None]) -> None:
    with pytest.raises(JobRejected) as caught, guarded(POLICY, 5):
        escape(trap)
    assert caught.value.kind == "address_refused"


def _hide_a_refusal(web: Web, trap: Web) -> None:
    with guarded(POLICY, 5):
        with pytest.raises(BlockedByGuard):
            socket.create_connection((trap.host, trap.port))
        with pytest.raises(BlockedByGuard):
            socket.create_connection((web.host, web.port))


def test_a_refusal_ends_the_fetch_even_where_a_library_hides_it(web: Web, trap: Web) -> None:
    with pytest.raises(JobRejected):
        _hide_a_refusal(web, trap)
    assert web.connections == 0


def test_no_program_is_started() -> None:
    with guarded(POLICY, 5):
        with pytest.raises(BlockedByGuard):
            subprocess.run(["/bin/true"], check=True)
        with pytest.raises(BlockedByGuard):
            os.system("/bin/true")  # noqa: S605


def test_the_guard_is_gone_afterwards(web: Web) -> None:
    with guarded(AddressPolicy(), 5):
        pass
    socket.create_connection((web.host, web.port)).close()
    subprocess.run(["/bin/true"], check=True)


def _open_a_second_guard(trap: Web) -> None:
    with pytest.raises(RuntimeError, match="one fetch at a time"):
        guarded(AddressPolicy((ip_network("127.0.0.0/8"),)), 5).__enter__()
    socket.create_connection((trap.host, trap.port))  # The first guard still stands.


def test_one_guard_at_a_time(trap: Web) -> None:
    with pytest.raises(JobRejected), guarded(POLICY, 5):
        _open_a_second_guard(trap)


def test_the_end_of_time_wakes_a_reader(web: Web) -> None:
    with (
        pytest.raises(Unavailable) as caught,
        guarded(POLICY, 0.2),
        socket.create_connection((web.host, web.port)) as client,
    ):
        assert client.recv(1) == b""
    assert caught.value.kind == "timeout"


def _let_time_run_out_with_a_reused_descriptor(web: Web, other: socket.socket) -> socket.socket:
    """A connection whose descriptor came to mean ``other`` before time was over."""
    client = socket.create_connection((web.host, web.port))
    os.dup2(other.fileno(), client.fileno())
    with socket.create_connection((web.host, web.port)) as waiting:
        waiting.recv(1)
    return client


def test_a_reused_descriptor_is_left_alone(web: Web) -> None:
    first, second = socket.socketpair()
    with pytest.raises(Unavailable), guarded(POLICY, 0.2):
        client = _let_time_run_out_with_a_reused_descriptor(web, first)
    second.send(b"still here")
    assert client.recv(10) == b"still here"
    for each in (first, second, client):
        each.close()


def test_fetches_follow_one_another(web: Web, settings: Settings) -> None:
    for _ in range(3):
        assert fetch(web.url("/good.mp4"), settings())[1] == GOOD_BYTES
