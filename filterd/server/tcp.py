# SPDX-License-Identifier: Apache-2.0
"""The TCP listener: the same answers, framed, several at a time, in any order (RFC 7766)."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from filterd.errors import WireError
from filterd.resolve.query import Peer
from filterd.server.arrival import interface_of
from filterd.wire import Deframer, fit, frame, size_limit

if TYPE_CHECKING:
    import socket
    from collections import Counter

    from filterd.resolve.resolver import Resolver
    from filterd.server.limiter import Limiter
    from filterd.server.stepping import Stepper

FIRST_OCTET_WITHIN_S = 3.0
MESSAGE_WITHIN_S = 2.0
IDLE_S = 10.0
MOST_CONNECTIONS = 150
MOST_CONNECTIONS_A_CLIENT = 10
MOST_QUERIES_A_CONNECTION = 100
MOST_IN_FLIGHT = 20
MOST_UNREAD_OCTETS = 256 * 1024
"""What a client that asks and does not read may cost (reliability.md A6)."""

_LARGEST_QUERY = 4_096
_BACKLOG = 128


class TcpListener:
    """One listening TCP socket; counts connections for all the listeners of a worker."""

    def __init__(
        self,
        resolver: Resolver,
        stepper: Stepper,
        limiter: Limiter,
        connections: Counter[str],
    ) -> None:
        self._resolver, self._stepper, self._limiter = resolver, stepper, limiter
        self._connections = connections
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    @property
    def port(self) -> int:
        """The port that it is bound to."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self, opened: socket.socket) -> None:
        """Accept from a socket that ``arrival.bind`` has opened; it is closed with the listener."""
        self._server = await asyncio.get_running_loop().create_server(
            self._accept, sock=opened, backlog=_BACKLOG
        )

    async def close(self) -> None:
        """Stop accepting and end every connection."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._open):
            connection.abort()
        await self._server.wait_closed()

    def _accept(self) -> _Connection:
        return _Connection(self._resolver, self._stepper, self._connections, self._open)


class _Connection(asyncio.Protocol):
    """One client's connection.

    Time is measured from the last whole question or answer, not from the last
    octet: a client that sends one octet a second makes no progress. Who has not
    begun to ask, or not finished, gets less of it than who has asked before:
    there are few connections, and holding them costs an attacker nothing. What
    came but is more than may be asked at a time waits in ``_messages``.
    """

    def __init__(
        self,
        resolver: Resolver,
        stepper: Stepper,
        connections: Counter[str],
        open_connections: set[_Connection],
    ) -> None:
        self._resolver, self._stepper = resolver, stepper
        self._connections, self._all = connections, open_connections
        self._loop = asyncio.get_running_loop()
        self._deframer = Deframer(_LARGEST_QUERY)
        self._messages: deque[bytes] = deque()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer: Peer | None = None
        self._asked = 0
        self._in_flight = 0
        self._taking = False
        self._complete = False
        """No more questions will be taken: the connection ends with the last answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it in, or turn it away: a stranger, or one too many."""
        self._transport = transport = cast("asyncio.Transport", transport)  # uvloop's has no base
        self._all.add(self)
        peer = _peer_of(transport)
        if peer is None or not self._resolver.may_ask(peer) or self._is_one_too_many(peer):
            transport.abort()
            return
        self._peer = peer
        self._connections[peer.address] += 1
        transport.set_write_buffer_limits(high=MOST_UNREAD_OCTETS)
        self._end_after(FIRST_OCTET_WITHIN_S)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's shape
        """Count it out."""
        self._transport = None
        self._messages.clear()
        self._all.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._peer is not None:
            self._connections[self._peer.address] -= 1
            if not self._connections[self._peer.address]:
                del self._connections[self._peer.address]

    def pause_writing(self) -> None:
        """End a client that asks and does not read."""
        self.abort()

    def eof_received(self) -> bool:
        """Keep the way back open: some clients close their half after the last question."""
        self._complete = True
        return not self._is_done()

    def data_received(self, data: bytes) -> None:
        """Answer every message that is whole now."""
        had_begun = self._deframer.pending
        try:
            self._messages.extend(self._deframer.feed(data))
        except WireError:
            self.abort()
            return
        if self._messages:
            self._take()
        elif not had_begun:
            self._end_after(MESSAGE_WITHIN_S)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _is_one_too_many(self, peer: Peer) -> bool:
        own, total = self._connections[peer.address], self._connections.total()
        return own >= MOST_CONNECTIONS_A_CLIENT or total >= MOST_CONNECTIONS

    def _take(self) -> None:
        """Take questions while there are any and the client may ask more at a time."""
        if self._taking or self._peer is None:
            return  # an answer that was ready at once: the loop below goes on by itself
        self._taking = True
        while self._messages and self._in_flight < MOST_IN_FLIGHT and not self._is_closing():
            self._received(self._messages.popleft(), self._peer)
        self._taking = False
        self._expect_progress()
        self._limit_reading()
        if self._complete and self._is_done() and self._transport is not None:
            self._transport.close()

    def _received(self, message: bytes, peer: Peer) -> None:
        self._asked += 1
        if self._asked == MOST_QUERIES_A_CONNECTION:
            self._complete = True
            self._messages.clear()
        admitted = self._resolver.admit(message, peer)
        if admitted is None:
            self.abort()
        elif isinstance(admitted, bytes):
            self._write(admitted)
        else:
            self._in_flight += 1
            limit = size_limit(admitted.message, "tcp")
            self._stepper.run(
                self._resolver.respond(admitted), lambda reply: self._answered(fit(reply, limit))
            )

    def _answered(self, reply: bytes) -> None:
        self._in_flight -= 1
        self._write(reply)
        self._take()

    def _write(self, reply: bytes) -> None:
        if self._transport is not None and not self._is_closing():
            self._transport.write(frame(reply))

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _is_done(self) -> bool:
        return not self._in_flight and not self._messages

    def _limit_reading(self) -> None:
        """Read no further while enough questions of this client wait."""
        if self._transport is None or self._is_closing():
            return
        if self._in_flight >= MOST_IN_FLIGHT or self._complete:
            self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()

    def _expect_progress(self) -> None:
        # The rest of a message may be waiting until we read on.
        is_unfinished = self._deframer.pending and self._in_flight < MOST_IN_FLIGHT
        self._end_after(MESSAGE_WITHIN_S if is_unfinished else IDLE_S)

    def _end_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._timer = self._loop.call_later(seconds, self.abort)


def _peer_of(transport: asyncio.Transport) -> Peer | None:
    """Return who connected and by which interface; None for one that is gone already."""
    address = transport.get_extra_info("peername")
    if address is None:
        return None
    return Peer(address[0], interface_of(transport.get_extra_info("socket")))
