# SPDX-License-Identifier: Apache-2.0
"""The TCP listener: the same answers, framed, several at a time, in any order (RFC 7766)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from filterd.errors import WireError
from filterd.resolve.query import Peer
from filterd.server.udp import cannot_listen
from filterd.wire import Deframer, fit, frame, size_limit

if TYPE_CHECKING:
    from collections import Counter

    from filterd.policy.model import ListenAddress
    from filterd.resolve.resolver import Resolver
    from filterd.server.stepping import Stepper

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
    """One listening TCP socket; counts connections for all the listeners of a daemon."""

    def __init__(self, resolver: Resolver, stepper: Stepper, connections: Counter[str]) -> None:
        self._resolver, self._stepper = resolver, stepper
        self._connections = connections
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    @property
    def port(self) -> int:
        """The port that it is bound to."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self, listen: ListenAddress) -> None:
        """Bind and accept.

        Raises:
            ConfigError: the address cannot be bound.
        """
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._accept, listen.address, listen.port, backlog=_BACKLOG
            )
        except OSError as error:
            raise cannot_listen(listen, error) from error

    async def close(self) -> None:
        """Stop accepting and end every connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for connection in list(self._open):
            connection.abort()

    def _accept(self) -> _Connection:
        return _Connection(self._resolver, self._stepper, self._connections, self._open)


class _Connection(asyncio.Protocol):
    """One client's connection.

    Idle time is measured from the last *answerable* progress, not from the last
    octet: a client that sends one octet a second makes none.
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
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer = Peer("")
        self._asked = 0
        self._in_flight = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it in, or turn it away when there are too many."""
        self._transport = transport = cast("asyncio.Transport", transport)  # uvloop's has no base
        address = transport.get_extra_info("peername")
        self._peer = Peer(address[0], address[3] if len(address) > 3 else 0)
        self._connections[self._peer.address] += 1
        self._all.add(self)
        too_many = (
            self._connections[self._peer.address] > MOST_CONNECTIONS_A_CLIENT
            or self._connections.total() > MOST_CONNECTIONS
        )
        if too_many:
            transport.abort()
            return
        transport.set_write_buffer_limits(high=MOST_UNREAD_OCTETS)
        self._expect_progress()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's shape
        """Count it out."""
        self._transport = None
        self._all.discard(self)
        self._connections[self._peer.address] -= 1
        if not self._connections[self._peer.address]:
            del self._connections[self._peer.address]
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        """End a client that asks and does not read."""
        self.abort()

    def eof_received(self) -> bool:
        """Keep the way back open: some clients close their half after the last question."""
        return self._in_flight > 0

    def data_received(self, data: bytes) -> None:
        """Answer every message that is whole now."""
        try:
            for message in self._deframer.feed(data):
                self._received(message)
        except WireError:
            self.abort()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _received(self, message: bytes) -> None:
        self._asked += 1
        if self._asked > MOST_QUERIES_A_CONNECTION or self._transport is None:
            self.abort()
            return
        self._expect_progress()
        admitted = self._resolver.admit(message, self._peer)
        if admitted is None:
            self.abort()
        elif isinstance(admitted, bytes):
            self._write(admitted)
        else:
            self._in_flight += 1
            self._limit_reading()
            limit = size_limit(admitted.message, "tcp")
            self._stepper.run(
                self._resolver.respond(admitted), lambda reply: self._answered(fit(reply, limit))
            )

    def _answered(self, reply: bytes) -> None:
        self._in_flight -= 1
        self._limit_reading()
        self._expect_progress()
        self._write(reply)

    def _write(self, reply: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame(reply))

    def _limit_reading(self) -> None:
        """Read no further while enough questions of this client wait."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._in_flight >= MOST_IN_FLIGHT:
            self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()

    def _expect_progress(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(IDLE_S, self.abort)
