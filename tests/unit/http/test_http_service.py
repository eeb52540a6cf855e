# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server that a hostile client can neither block nor confuse."""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.http import http_service
from filterd.http.http_service import (
    MOST_CONNECTIONS,
    USUAL_BOUNDS,
    ConnectionBounds,
    HttpRequest,
    Reply,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LARGE = b"x" * 4_000_000
"""More than the kernel keeps for a client that does not read."""


HOST = b"Host: a\r\n"


async def _handle(request: HttpRequest) -> Reply:
    if request.path == "/broken":
        raise ValueError("a bug")
    if request.path == "/large":
        return Reply(HTTPStatus.OK, LARGE)
    text = f"{request.method} {request.client} {request.server} {request.query} {request.form}"
    return Reply(HTTPStatus.OK, text.encode(), headers=(("X-Seen", request.headers["host"]),))


async def _sent(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def _run(use: Callable[[int], Awaitable[None]], bounds: ConnectionBounds = USUAL_BOUNDS) -> None:
    async def running() -> None:
        server = await serve(("127.0.0.1", 0), _handle, bounds)
        async with server, asyncio.timeout(20):
            await use(server.sockets[0].getsockname()[1])

    asyncio.run(running())


def _replies(*requests: bytes) -> list[bytes]:
    found = []

    async def ask(port: int) -> None:
        found.extend([await _sent(port, request) for request in requests])

    _run(ask)
    return found


def test_a_reply_is_whole_and_ends_the_connection() -> None:
    (reply,) = _replies(b"GET /large?x=1 HTTP/1.1\r\n" + HOST + b"\r\n")
    head, _, content = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close" in head
    assert content == LARGE


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"PUT /large HTTP/1.1\r\n" + HOST + b"\r\n", b"405"),
        (b"GET /large HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /large HTTP/2\r\n" + HOST + b"\r\n", b"400"),
        (b"\x00\xff\r\n\r\n", b"400"),
        (b"GET /large HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n", b"431"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1, 2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5000\r\n\r\n" + b"a" * 5000, b"413"),
        (b"GET /broken HTTP/1.1\r\n" + HOST + b"\r\n", b""),
        (b"GET /large HTTP/1.1", b""),
    ],
)
def test_anything_else_gets_an_error(
    request_: bytes, status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_service, "WITHIN_S", 0.2)
    (reply,) = _replies(request_)
    assert reply[9:12] == status


def test_a_form_and_a_query_are_read_and_a_bad_one_has_no_fields() -> None:
    head = b"POST /?b=%C4%91 HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n"
    good, bad = _replies(head + b"a=1+2", head + b"a;b=1")
    assert b"X-Seen: a\r\n" in good
    assert good.endswith("POST 127.0.0.1 127.0.0.1 {'b': 'đ'} {'a': '1 2'}".encode())
    assert bad.endswith(b"{'a;b': '1'}")


@pytest.mark.usefixtures("needs_ipv6")
def test_a_socket_for_both_families_shows_the_ipv4_address() -> None:
    async def whole() -> bytes:
        with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as bound:
            port = bound.getsockname()[1]
            async with await serve(bound, _handle):
                return await _sent(port, b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")

    assert b"GET 127.0.0.1 127.0.0.1 " in asyncio.run(whole())


def test_the_reply_to_head_has_no_content() -> None:
    (reply,) = _replies(b"HEAD /large HTTP/1.1\r\n" + HOST + b"\r\n")
    assert b"Content-Length: 4000000\r\n" in reply
    assert reply.endswith(b"\r\n\r\n")


def test_one_client_cannot_take_all_connections() -> None:
    async def crowd(port: int) -> None:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        assert await _sent(port, b"GET / HTTP/1.0\r\n\r\n") == b""
        other = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.6.1", 0))
        other[1].write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await other[0].read()).startswith(b"HTTP/1.1 200")
        for _, writer in (*slow, other):
            writer.close()

    _run(crowd, ConnectionBounds(most=16, most_of_client=2))


def test_slow_clients_leave_in_time_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_service, "WITHIN_S", 0.2)

    async def crowd(port: int) -> None:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS)]
        slow[0][1].write(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")  # and does not read
        slow[1][1].write(b"GET /lar")
        assert await _sent(port, b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n") == b""
        for reader, _ in slow[1:]:
            assert await reader.read() == b""
        while not await _sent(port, b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n"):
            pass
        for _, writer in slow:
            writer.close()

    _run(crowd)


def test_a_port_in_use_is_reported() -> None:
    async def twice(port: int) -> None:
        with pytest.raises(ConfigError, match=f"127.0.0.1 port {port}: cannot listen there"):
            await serve(("127.0.0.1", port), _handle)

    _run(twice)
