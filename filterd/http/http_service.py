# SPDX-License-Identifier: Apache-2.0
"""Serve HTTP/1.1 without TLS, one request a connection (RFC 9112, read by h11).

GET, HEAD and POST. Bounded: so many connections in all and of one client, a request head of
8 KiB and a body of 4 KiB within five seconds, and as much time for the client to take the
reply.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

import h11

from filterd.base.errors import ConfigError
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_CONNECTIONS = 16
WITHIN_S = 5.0
"""For a request to come, and for its reply to be taken."""
_LARGEST_HEAD, _LARGEST_BODY = 8 * 1024, 4 * 1024
_READ_OCTETS = 4096
_MOST_FIELDS = 16
_MAPPED = "::ffff:"
_METHODS = ("GET", "HEAD", "POST")

_logger = logging.getLogger("filterd.http")


class HttpRequest(NamedTuple):
    """A request.

    Attributes:
        method: ``GET``, ``HEAD`` or ``POST``.
        target: as it was sent; ``path`` is that without the query.
        headers: by name in lower case; of several of one name the first.
        body: at most 4 KiB.
        client: address of the other end.
        server: address of this end.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    server: str

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return self.method != "POST"

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The fields of the query; none where it is not well-formed."""
        return _fields(self.target.partition("?")[2])

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form; none where the body is none."""
        return _fields(self.body.decode("ascii", "replace"))


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError:
        return {}


class Reply(NamedTuple):
    """A reply: status code, media type, content, further header fields."""

    status: HTTPStatus
    content: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[HttpRequest], Awaitable[Reply]]


class ConnectionBounds(NamedTuple):
    """Connections at a time: in all, and of one client."""

    most: int
    most_of_client: int


USUAL_BOUNDS = ConnectionBounds(MOST_CONNECTIONS, MOST_CONNECTIONS)


async def serve(
    listen: tuple[str, int] | socket.socket,
    handle: Handler,
    bounds: ConnectionBounds = USUAL_BOUNDS,
) -> asyncio.Server:
    """Serve from now on, until the server is closed.

    Args:
        listen: address and port, or a socket that the service manager has bound.
        handle: makes the reply to a request.
        bounds: of connections; further ones are closed at once.

    Raises:
        ConfigError: the port cannot be bound.
    """
    clients = Counter[str]()
    served = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        client = _address(writer, "peername")
        served += 1
        clients[client] += 1
        try:
            if served <= bounds.most and clients[client] <= bounds.most_of_client:
                await _converse(reader, writer, handle)
        except Exception:
            _logger.exception("an HTTP request could not be answered")
        finally:
            served -= 1
            clients[client] -= 1
            if not clients[client]:
                del clients[client]
            writer.transport.abort()  # what the client was to take, it has taken

    if isinstance(listen, socket.socket):
        return await asyncio.start_server(connected, sock=listen, limit=_LARGEST_HEAD)
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
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Handler
) -> None:
    """Read one request and reply; leave a client that is too slow or goes away."""
    writer.transport.set_write_buffer_limits(high=0)  # ``drain`` waits until all is sent
    spoken = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
    is_head = False
    with contextlib.suppress(TimeoutError, OSError):
        try:
            async with asyncio.timeout(WITHIN_S):
                request = await _read(spoken, reader, writer)
            if request is None:
                return
            is_head = request.method == "HEAD"
            reply = await handle(request)
        except h11.RemoteProtocolError as error:
            allow = (("Allow", ", ".join(_METHODS)),) if error.error_status_hint == 405 else ()
            reply = Reply(HTTPStatus(error.error_status_hint), headers=allow)
        async with asyncio.timeout(WITHIN_S):
            writer.write(_dumped(spoken, reply, is_head=is_head))
            await writer.drain()
            writer.close()
            await writer.wait_closed()


async def _read(
    spoken: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> HttpRequest | None:
    """Return the request of a connection; None where it ends before that.

    Raises:
        RemoteProtocolError: it is none, or too large.
    """
    head, body = None, bytearray()
    while True:
        event = spoken.next_event()
        if event is h11.NEED_DATA:
            spoken.receive_data(await reader.read(_READ_OCTETS))
        elif isinstance(event, h11.Request):
            head = event
            if head.method.decode("ascii") not in _METHODS:
                raise h11.RemoteProtocolError(
                    "another method", error_status_hint=HTTPStatus.METHOD_NOT_ALLOWED
                )
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _LARGEST_BODY:
                raise h11.RemoteProtocolError(
                    "a large body", error_status_hint=HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                )
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            break
        else:
            return None
    headers = dict[str, str]()
    for name, value in head.headers:
        headers.setdefault(name.decode("ascii"), value.decode("latin-1"))
    return HttpRequest(
        head.method.decode("ascii"),
        head.target.decode("latin-1"),
        headers,
        bytes(body),
        _address(writer, "peername"),
        _address(writer, "sockname"),
    )


def _address(writer: asyncio.StreamWriter, end: str) -> str:
    """Return the address of an end; of IPv4 also on a socket for both families."""
    address = str(writer.get_extra_info(end, ("",))[0])
    return address.removeprefix(_MAPPED) if "." in address else address


def _dumped(spoken: h11.Connection, reply: Reply, *, is_head: bool) -> bytes:
    """Return the message of a reply; without content where the request was a HEAD."""
    headers = [
        ("Content-Type", reply.media_type),
        ("Content-Length", str(len(reply.content))),
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
        *reply.headers,
    ]
    head = h11.Response(
        status_code=reply.status, reason=reply.status.phrase.encode(), headers=headers
    )
    content = b"" if is_head else reply.content
    return b"".join(spoken.send(part) or b"" for part in (head, h11.Data(data=content)))
