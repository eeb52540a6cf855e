# SPDX-License-Identifier: Apache-2.0
"""Connections have bounds of number and time, so that no client keeps the others out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest
import uvicorn
from uvicorn.server import ServerState

from filterd.appliance.setup.web_certificate import make
from filterd.base.clock import SystemClock
from filterd.web import https_listener as module
from filterd.web.https_listener import BoundedProtocol, ConnectionPlaces, HttpsListener, secured
from tests.support.web_school import UNVERIFIED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

HELLO = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WITHIN_S = 10.0
_PART = 64 * 1024


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer once the body is there, with as much as the path asks for."""
    while (await receive()).get("more_body"):
        pass
    size = int(scope["path"].strip("/") or 5)
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for left in range(size, 0, -_PART):
        part = b"a" * min(left, _PART)
        await send({"type": "http.response.body", "body": part, "more_body": left > _PART})


class _Server:
    """A listener in a thread."""

    def __init__(self, folder: Path) -> None:
        files = folder / "chain.pem", folder / "key.pem"
        make(*files, ["filterd"], ["127.0.0.1"], SystemClock().wall())
        self._context = secured(*map(str, files))
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        config = uvicorn.Config(_application, ws="none", lifespan="off", log_config=None)
        state = ServerState()
        config.load()
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.listening = listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        self.address = listening.getsockname()
        made = lambda: BoundedProtocol(config, state, {})  # noqa: E731 -- as the server gives it
        listener = HttpsListener(listening, self._context, made)
        self._started.set()
        await self._stop.wait()
        listener.close()
        await listener.wait_closed()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def plain(self) -> socket.socket:
        return socket.create_connection(self.address, WITHIN_S)

    def connect(self) -> ssl.SSLSocket:
        return UNVERIFIED.wrap_socket(self.plain())


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    for name in ("REQUEST_WITHIN_S", "TAKEN_WITHIN_S"):
        monkeypatch.setattr(module, name, 0.3)
    with _Server(tmp_path) as running:
        yield running


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_head(server: _Server) -> None:
    assert server.listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def _is_ended(connection: socket.socket) -> bool:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while connection.recv(1 << 16):
            pass
    return True


def _is_answered(connection: socket.socket, request: bytes = HELLO) -> bool:
    connection.sendall(request)
    received = b""
    while not received.endswith(b"aaaaa"):
        received += connection.recv(1 << 16)
    return received.startswith(b"HTTP/1.1 200")


def test_requests_are_answered_one_after_the_other(server: _Server) -> None:
    with server.connect() as connection:
        assert _is_answered(connection)
        assert _is_answered(connection)


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [b"GET / HT"],
        [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", b"a"],
        [HELLO, b"GET / HT"],
    ],
    ids=["silent", "half a head", "half a body", "half a second one"],
)
def test_a_request_that_does_not_come_whole_ends_the_connection(
    server: _Server, parts: list[bytes]
) -> None:
    with server.connect() as connection:
        for part in parts:
            if part == HELLO:
                assert _is_answered(connection)
            else:
                connection.sendall(part)
        assert _is_ended(connection)


def test_a_handshake_that_does_not_come_does_too(server: _Server) -> None:
    with server.plain() as silent:
        assert _is_ended(silent)


def test_an_answer_that_is_not_taken_does_too(server: _Server) -> None:
    with server.connect() as connection:
        connection.sendall(HELLO.replace(b"/ ", b"/80000000 "))
        threading.Event().wait(1.0)  # while it does not read
        received = 0
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while part := connection.recv(1 << 20):
                received += len(part)
        assert received < 80_000_000


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_of_tls_are_refused(server: _Server, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.minimum_version = context.maximum_version = version
    with server.plain() as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain)


def test_silent_connections_give_way_to_a_new_one(
    server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_WITHIN_S", 60.0)
    monkeypatch.setattr(module, "MOST_OF_AN_ADDRESS", 5)
    with contextlib.ExitStack() as opened:
        silent = [opened.enter_context(server.plain()) for _ in range(12)]
        with server.connect() as person:
            assert _is_answered(person)
        assert _is_ended(silent[0])


def test_control_without_a_bound_silent_connections_stay(
    server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_WITHIN_S", 60.0)
    with server.plain() as silent:
        silent.settimeout(1.0)
        with pytest.raises(TimeoutError):
            _is_ended(silent)


def _held(places: ConnectionPlaces, *addresses: str, idle: bool = True) -> list[Any]:
    taken = [places.take(address) for address in addresses]
    for place in taken:
        if place is not None:
            place.is_idle = idle
    return taken


def test_a_place_is_of_an_address_and_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    monkeypatch.setattr(module, "MOST_OF_AN_ADDRESS", 2)
    places = ConnectionPlaces()
    first, _ = _held(places, "a", "a", idle=False)
    assert _held(places, "a") == [None]
    assert None not in _held(places, "b", idle=False)
    assert _held(places, "c") == [None]
    first.release()
    first.release()
    assert None not in _held(places, "c")


def test_a_device_with_many_addresses_leaves_room_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_OF_A_LINK", 2)
    for flood, other in (
        (["::ffff:10.0.6.1", "10.0.6.2", "10.0.6.3"], "::ffff:10.0.1.1"),
        (["fd00::1", "fd00::2:1", "fd00::3%eth0"], "fd00:0:0:1::1"),
    ):
        places = ConnectionPlaces()
        taken = [_held(places, one, idle=False) for one in flood]
        assert [one is not None for (one,) in taken] == [True, True, False]
        assert None not in _held(places, other)


def test_the_oldest_without_a_request_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    ended: list[str] = []
    places = ConnectionPlaces()
    for name, is_idle in (("a", False), ("b", True), ("c", True)):
        place = places.take(name)
        assert place is not None
        place.is_idle, place.end = is_idle, lambda name=name: ended.append(name)  # type: ignore[misc]
    assert places.take("d") is not None
    assert ended == ["b"]
