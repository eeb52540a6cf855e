# SPDX-License-Identifier: Apache-2.0
"""Queries by TLS (RFC 7858): connections that stay open and are shared.

``STRICT`` servers prove their identity or are not asked; a problem with one is logged
once, when it changes. A server may close a connection at any time: questions without
an answer are asked again on a new one, invisibly to the caller. Imported only where a
site has such a server.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from filterd.errors import (
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.i18n import UNSAID
from filterd.upstream.tls_connection import TlsConnection
from filterd.upstream.tls_trust import Trust, check_name, explain, name_of

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.i18n import Sentence
    from filterd.policy.model import UpstreamServer
    from filterd.upstream.upstream_question import UpstreamQuestion
    from filterd.wire import ParsedResponse

CONNECTED_WITHIN_S = 3.0
MOST_CONNECTIONS = 2
MOST_WAITING = 500
"""Questions on one connection; two connections carry as many as there may be exchanges."""

_BUSY = 100
"""Waiting questions from which a second connection is worth its handshake."""
_FRUITLESS = 2
"""Connections that may end without an answer before the server counts as unreachable."""
_GOODBYE_WITHIN_S = 1.0
_AGAIN_AFTER_S = 0.25
"""A handshake costs both sides milliseconds, so a failing one is not repeated per question."""

_log = logging.getLogger("filterd.upstream")


class TlsConnections:
    """TLS connections to servers.

    Args:
        clock: measures how long a connection has been silent.
        counters: where to count ``tls_connected``, ``tls_failed`` (no
            handshake), ``tls_lost`` (a connection that ended with questions
            waiting) and ``mismatched`` (a message that answers nothing).
    """

    def __init__(self, clock: Clock, counters: Counter[str] | None = None) -> None:
        self._clock, self._trust = clock, Trust(clock)
        self._servers: dict[UpstreamServer, _Server] = {}
        self.counters = Counter() if counters is None else counters

    async def ask(
        self, server: UpstreamServer, question: UpstreamQuestion, *, edns: bool
    ) -> ParsedResponse:
        """Ask a server by TLS; the caller bounds the time by cancelling.

        Raises:
            UpstreamUnreachableError: no connection that is trusted as the
                server's ``tls`` requires, or each ended before any answer.
            UpstreamOverloadError: too many questions wait there already.
            UpstreamMalformedError: the answer is not whole.
        """
        asked = self._servers.get(server)
        if asked is None:
            asked = _Server(server, self._trust, self._clock, self.counters)
            self._servers[server] = asked
        response = await asked.ask(question, edns=edns)
        if response.header.tc:
            raise UpstreamMalformedError(f"{server.address} truncated its answer even by TLS")
        return response

    def problem(self, server: UpstreamServer) -> Sentence:
        """Return what is wrong with a server and the remedy; empty if nothing is known."""
        asked = self._servers.get(server)
        return asked.problem if asked else UNSAID

    def close(self) -> None:
        """End every connection with an error for its waiters."""
        for asked in self._servers.values():
            asked.close()


class _Server:
    """One server and its connections; ``problem``: the problem that was logged last."""

    def __init__(
        self, server: UpstreamServer, trust: Trust, clock: Clock, counters: Counter[str]
    ) -> None:
        self._server, self._trust, self._clock, self._counters = server, trust, clock, counters
        self._connections: list[TlsConnection] = []
        self._connecting: asyncio.Task[TlsConnection | None] | None = None
        self._is_closed = False
        self._again_at = 0.0
        self.problem = UNSAID

    async def ask(self, question: UpstreamQuestion, *, edns: bool) -> ParsedResponse:
        """Ask until there is an answer, or no hope of one.

        A connection that gave any answer was useful: a server may close after each. So this
        ends at the latest with the caller's deadline.
        """
        fruitless = 0
        while fruitless < _FRUITLESS:
            connection = await self._connection()
            response = await connection.ask(question, edns=edns)
            if response is not None:
                self._tell(UNSAID)
                return response
            fruitless += not connection.has_answered
            reason = connection.ending
        self._failed(reason)
        raise self._unreachable()

    def close(self) -> None:
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        for connection in self._connections:
            connection.close()

    async def _connection(self) -> TlsConnection:
        """Return the least busy connection, or a new one."""
        if self._is_closed:
            raise UpstreamUnreachableError("filterd is stopping")
        usable = [one for one in self._connections if one.takes_questions]
        best = min(usable, key=lambda one: one.waiting, default=None)
        if best is None:
            return await self._fresh()
        if best.waiting >= _BUSY and len(usable) < MOST_CONNECTIONS:
            self._start_connecting()  # the next questions will use it
        if best.waiting >= MOST_WAITING:
            raise UpstreamOverloadError(f"too many questions wait for {self._server.address}")
        return best

    async def _fresh(self) -> TlsConnection:
        """Wait for the one handshake that all new questions share."""
        if self._clock.monotonic() < self._again_at:
            raise self._unreachable()
        connecting = self._start_connecting()
        await asyncio.wait([connecting])  # unlike awaiting it, this does not cancel it
        connection = None if connecting.cancelled() else connecting.result()
        if connection is None:
            raise self._unreachable()
        return connection

    def _start_connecting(self) -> asyncio.Task[TlsConnection | None]:
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
        return self._connecting

    async def _connect(self) -> TlsConnection | None:
        try:
            async with asyncio.timeout(CONNECTED_WITHIN_S):
                connection = await self._handshake()
        except (OSError, ValueError) as error:
            self._counters["tls_failed"] += 1
            self._failed(explain(error, self._server))
            return None
        self._counters["tls_connected"] += 1
        return connection

    async def _handshake(self) -> TlsConnection:
        server, name = self._server, name_of(self._server)
        context = await self._trust.context(server.tls)
        check_name(context, name)
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: TlsConnection(self._clock, self._counters, self._lost),
            server.address,
            server.port,
            ssl=context,
            server_hostname=name,  # an address is never sent, only compared (RFC 6066 §3)
            ssl_shutdown_timeout=_GOODBYE_WITHIN_S,
        )
        if connection.takes_questions:
            self._connections.append(connection)
        return connection

    def _lost(self, connection: TlsConnection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)

    def _failed(self, reason: Sentence) -> None:
        self._again_at = self._clock.monotonic() + _AGAIN_AFTER_S
        self._tell(reason)

    def _unreachable(self) -> UpstreamUnreachableError:
        return UpstreamUnreachableError(f"{self._place}: {self.problem or 'filterd is stopping'}")

    def _tell(self, problem: Sentence) -> None:
        """Log the problem of the server when it changes, and not with every question."""
        if problem == self.problem:
            return
        self.problem = problem
        if problem:
            _log.warning("upstream %s: %s", self._place, problem)
        else:
            _log.info("upstream %s: it answers", self._place)

    @property
    def _place(self) -> str:
        return f"{self._server.address} port {self._server.port} by TLS"
