# SPDX-License-Identifier: Apache-2.0
"""Accept HTTPS connections, a bounded number of them, each within bounds of time.

A client that is silent, sends a request slowly or does not take its answer is disconnected. So
is the oldest one without a request where there is no room for one more: a thousand silent
connections keep no person out.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from filterd.base.acceptor import Acceptor

if TYPE_CHECKING:
    from collections.abc import Callable

MOST, MOST_OF_A_LINK, MOST_OF_AN_ADDRESS = 200, 120, 32
"""Connections; a device takes as many addresses of its link as it likes, so that a link leaves
room for others."""
_IPV4_LINK, _IPV6_LINK = 24, 64
REQUEST_WITHIN_S = 10.0
"""The handshake, and again each request from its first octet to its last."""
TAKEN_WITHIN_S = 20.0
"""How long a client may leave the answer, as far as it is sent, unread."""
_SHUTDOWN_WITHIN_S = 5.0
_BACKLOG = 128


class ConnectionPlace:
    """The place of one connection; ``is_idle`` while it has not sent a whole request."""

    def __init__(self, places: ConnectionPlaces, address: str) -> None:
        self._places, self.address, self.link = places, address, link_of(address)
        self.is_idle = True
        self.end: Callable[[], object] = lambda: None

    def release(self) -> None:
        """Give it back, once."""
        self._places.held.pop(self, None)


class ConnectionPlaces:
    """The places of connections, the oldest first."""

    def __init__(self) -> None:
        self.held: dict[ConnectionPlace, None] = {}

    def take(self, address: str) -> ConnectionPlace | None:
        """Return a place for one more connection; None where there is no room."""
        place = ConnectionPlace(self, address)
        bounds = (
            (MOST_OF_AN_ADDRESS, lambda one: one.address == address),
            (MOST_OF_A_LINK, lambda one: one.link == place.link),
            (MOST, lambda _: True),
        )
        for most, counts in bounds:
            found = list(filter(counts, self.held))
            if len(found) < most:
                continue
            idle = next((one for one in found if one.is_idle), None)
            if idle is None:
                return None
            idle.release()
            idle.end()
        self.held[place] = None
        return place


def link_of(address: str) -> str:
    """Return the network that an address probably shares with its neighbours."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((int(found), _IPV6_LINK), strict=False))
    return str(ip_network((str(getattr(found, "ipv4_mapped", found)), _IPV4_LINK), strict=False))


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 whose requests and answers take a bounded time."""

    place: ConnectionPlace | None = None
    _sending: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin; the first request has to come."""
        super().connection_made(transport)
        if self.place is not None:
            self.place.end = transport.abort
        self._expect_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        for timer in (self._sending, self._taking):
            if timer is not None:
                timer.cancel()
        if self.place is not None:
            self.place.release()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a whole request ends the time that it may take."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            if self._sending is None:
                self._expect_a_request()
        elif self._sending is not None:
            self._sending.cancel()
            self._sending = None
            if self.place is not None:
                self.place.is_idle = False

    def shutdown(self) -> None:
        """End with the server, at once where nothing is being answered."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """Note that the client does not take its answer."""
        super().pause_writing()
        self._taking = self.loop.call_later(TAKEN_WITHIN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that it does."""
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        if self.place is not None:
            self.place.is_idle = True
        super().on_response_complete()

    def _expect_a_request(self) -> None:
        self._sending = self.loop.call_later(REQUEST_WITHIN_S, self.transport.abort)


class HttpsListener:
    """Accepts from one socket. ``made`` makes the protocol of a connection."""

    def __init__(
        self, listening: socket.socket, context: ssl.SSLContext, made: Callable[[], BoundedProtocol]
    ) -> None:
        self._context, self._made = context, made
        self._loop = asyncio.get_running_loop()
        self._places = ConnectionPlaces()
        self._handshakes: set[asyncio.Task[None]] = set()
        # Connections inherit it. Else the body of an answer waits 40 ms for the ACK of its head.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._acceptor = Acceptor(listening, "https", self._take_in)
        self._acceptor.listen(_BACKLOG)

    def close(self) -> None:
        """Accept no more."""
        self._acceptor.close()

    async def wait_closed(self) -> None:
        """End the handshakes that are going on."""
        for task in self._handshakes:
            task.cancel()
        await asyncio.gather(*self._handshakes, return_exceptions=True)

    def _take_in(self, connection: socket.socket, address: Any) -> None:
        place = self._places.take(address[0])
        if place is None:
            connection.close()
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._secure(connection, place))
        place.end = task.cancel
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _secure(self, connection: socket.socket, place: ConnectionPlace) -> None:
        """Make the handshake; the protocol releases the place of a connection that it has."""

        def made() -> BoundedProtocol:
            protocol = self._made()
            protocol.place = place
            return protocol

        try:
            await self._loop.connect_accepted_socket(
                made,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=REQUEST_WITHIN_S,
                ssl_shutdown_timeout=_SHUTDOWN_WITHIN_S,
            )
        except BaseException as error:
            place.release()
            with contextlib.suppress(OSError):
                connection.close()
            if not isinstance(error, OSError | TimeoutError):  # ssl.SSLError is an OSError
                raise


def secured(chain: str, key: str) -> ssl.SSLContext:
    """Return the context of a server with this certificate: TLS 1.2 or newer.

    Raises:
        OSError: the files cannot be read, or are no certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(chain, key)
    return context
