# SPDX-License-Identifier: Apache-2.0
"""Serve a few paths by HTTP/1.1 on loopback (RFC 9112).

GET only, one request a connection. Bounded: ``MOST_CONNECTIONS`` at a time, a request head
of 8 KiB within five seconds, and as much time for the client to take the reply. A request's
fields and content are not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, NamedTuple

from filterd.errors import ConfigError
from filterd.i18n import refused, say

MOST_CONNECTIONS = 16
WITHIN_S = 5.0
"""For a request to come, and for its reply to be taken."""
_LARGEST_HEAD = 8 * 1024
_HIGHEST_PORT = 65_535

_log = logging.getLogger("filterd.monitor")


class Reply(NamedTuple):
    """A reply: status code, media type, content."""

    status: HTTPStatus
    content: bytes = b""
    media_type: str = "text/plain; charset=utf-8"

    def dump(self) -> bytes:
        """Return the message."""
        allow = "Allow: GET\r\n" if self.status is HTTPStatus.METHOD_NOT_ALLOWED else ""
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            f"Content-Type: {self.media_type}\r\n"
            f"Content-Length: {len(self.content)}\r\n"
            f"{allow}Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        return head.encode("ascii") + self.content


Paths = Mapping[str, Callable[[], Coroutine[Any, Any, Reply]]]
"""What makes the reply to a GET, by path."""


def parse_listen(text: str) -> tuple[str, int]:
    """Return address and port of ``ADDRESS:PORT``, IPv6 in brackets.

    Raises:
        ConfigError: it is none of loopback: metrics are not encrypted and need no password.
    """
    host, _, port = text.rpartition(":")
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port)
    except ValueError:
        address, number = None, -1
    if address is None or not address.is_loopback or not 0 <= number <= _HIGHEST_PORT:
        raise ConfigError(
            say("--listen '{given}' is no loopback address with a port", given=text[:80]),
            hint=say("127.0.0.1:9153, for example; ssh or a web server can pass it on"),
        )
    return str(address), number


async def serve(listen: tuple[str, int], paths: Paths) -> asyncio.Server:
    """Serve from now on, until the server is closed.

    Args:
        listen: address and port.
        paths: what is served.

    Raises:
        ConfigError: the port cannot be bound.
    """
    connections = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            if connections <= MOST_CONNECTIONS:
                await _converse(reader, writer, paths)
        except Exception:  # noqa: BLE001 -- logged whole; the others are served
            _log.exception("an HTTP request could not be answered")
        finally:
            connections -= 1
            writer.transport.abort()  # what the client was to take, it has taken

    try:
        return await asyncio.start_server(connected, *listen, limit=_LARGEST_HEAD)
    except OSError as error:
        raise ConfigError(
            say(
                "{address} port {port}: cannot listen there: {why}",
                address=listen[0],
                port=listen[1],
                why=refused(error),
            ),
            hint=say("name another with --listen"),
        ) from error


async def _converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    paths: Paths,
) -> None:
    """Read one request and reply; leave a client that is too slow or goes away."""
    writer.transport.set_write_buffer_limits(high=0)  # ``drain`` waits until all is sent
    with contextlib.suppress(TimeoutError, OSError, asyncio.IncompleteReadError):
        async with asyncio.timeout(WITHIN_S):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                head = b""
        reply = await _reply_to(head, paths)
        async with asyncio.timeout(WITHIN_S):
            writer.write(reply.dump())
            await writer.drain()
            writer.close()
            await writer.wait_closed()


async def _reply_to(head: bytes, paths: Paths) -> Reply:
    if not head:
        return Reply(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    parts = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        return Reply(HTTPStatus.BAD_REQUEST)
    method, target, _ = parts
    make = paths.get(target.partition("?")[0])
    if make is None:
        return Reply(HTTPStatus.NOT_FOUND)
    if method != "GET":
        return Reply(HTTPStatus.METHOD_NOT_ALLOWED)
    return await make()
