# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server that a hostile client can neither block nor confuse."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from filterd.errors import ConfigError
from filterd.monitor import http_service
from filterd.monitor.http_service import MOST_CONNECTIONS, Reply, parse_listen, serve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LARGE = b"x" * 4_000_000
"""More than the kernel keeps for a client that does not read."""


async def _large() -> Reply:
    return Reply(HTTPStatus.OK, LARGE)


async def _broken() -> Reply:
    raise ValueError("a bug")


PATHS = {"/large": _large, "/broken": _broken}


async def _sent(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def _run(use: Callable[[int], Awaitable[None]]) -> None:
    async def running() -> None:
        server = await serve(("127.0.0.1", 0), PATHS)
        async with server, asyncio.timeout(20):
            await use(server.sockets[0].getsockname()[1])

    asyncio.run(running())


def _replies(*requests: bytes) -> list[bytes]:
    found = []

    async def ask(port: int) -> None:
        found.extend([await _sent(port, one) for one in requests])

    _run(ask)
    return found


def test_a_reply_is_whole_and_ends_the_connection() -> None:
    (reply,) = _replies(b"GET /large?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")
    head, _, content = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close" in head
    assert content == LARGE


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /large HTTP/1.1\r\n\r\n", b"405"),
        (b"GET /etc/passwd HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /large HTTP/2\r\n\r\n", b"400"),
        (b"\x00\xff\r\n\r\n", b"400"),
        (b"GET /large HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET /broken HTTP/1.1\r\n\r\n", b""),
        (b"GET /large HTTP/1.1", b""),
    ],
)
def test_anything_else_gets_an_error(
    request_: bytes, status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_service, "WITHIN_S", 0.2)
    (reply,) = _replies(request_)
    assert reply[9:12] == status


def test_slow_clients_leave_in_time_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_service, "WITHIN_S", 0.2)

    async def crowd(port: int) -> None:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS)]
        slow[0][1].write(b"GET /large HTTP/1.1\r\n\r\n")  # and does not read
        slow[1][1].write(b"GET /lar")
        assert await _sent(port, b"GET /x HTTP/1.1\r\n\r\n") == b""
        for reader, _ in slow[1:]:
            assert await reader.read() == b""
        while not await _sent(port, b"GET /x HTTP/1.1\r\n\r\n"):
            pass
        for _, writer in slow:
            writer.close()

    _run(crowd)


@pytest.mark.parametrize(
    ("text", "listen"),
    [("127.0.0.1:9153", ("127.0.0.1", 9153)), ("[::1]:0", ("::1", 0))],
)
def test_a_loopback_address_is_taken(text: str, listen: tuple[str, int]) -> None:
    assert parse_listen(text) == listen


@pytest.mark.parametrize("text", ["0.0.0.0:9153", "10.0.0.1:1", "127.0.0.1", "127.0.0.1:99999", ""])
def test_another_one_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no loopback address"):
        parse_listen(text)


def test_a_port_in_use_is_told() -> None:
    async def twice(port: int) -> None:
        with pytest.raises(ConfigError, match=f"127.0.0.1 port {port}: cannot listen there"):
            await serve(("127.0.0.1", port), PATHS)

    _run(twice)
