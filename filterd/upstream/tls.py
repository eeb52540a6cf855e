# SPDX-License-Identifier: Apache-2.0
"""Queries by TLS (RFC 7858): connections that stay open and are shared.

``STRICT`` servers prove their identity or are not asked; a problem with one is logged
once, when it changes. A connection takes many questions, with answers in any order
(RFC 7766). A server may close it at any time: questions without an answer are asked again on
a new one, invisibly to the caller. No other host can write to it, so a message that answers
nothing is a fault and no attack; it is skipped all the same, because the right answer may
follow. Imported only where a site has such a server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from typing import TYPE_CHECKING, cast

from filterd.base.errors import (
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
    WireError,
)
from filterd.texts.i18n import UNSAID, Sentence, quoted, refused, say
from filterd.upstream.tls_trust import Trust, check_name, explain, name_of
from filterd.upstream.upstream_question import UpstreamQuestion, compose, new_id, parse_answer
from filterd.wire import Deframer, ParsedResponse, frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.clock import Clock
    from filterd.policy.model import UpstreamServer


IDLE_S = 20.0
"""An unused connection is closed; the next question pays for a handshake."""
STALL_S = 2.0
"""Waiting for longer without any data means that the path may be gone (a new address at the
provider, a forgotten NAT entry): on another connection there is still time for an answer."""
TICK_S = 0.5
PAD_TO_OCTETS = 128
"""RFC 8467 §4.1."""

_MOST_MISMATCHES = 10
_MOST_ABANDONED = 100
"""The caller has gone, the answer never came; its ID is not used again on this connection."""


class TlsConnection(asyncio.Protocol):
    """A connection after its handshake; ``ended`` is called once, when it is lost.

    ``waiting`` questions wait for an answer; ``has_answered``: an answer has come;
    ``ending``: why the connection was given up.
    """

    def __init__(
        self, clock: Clock, counters: Counter[str], ended: Callable[[TlsConnection], None]
    ) -> None:
        self._clock, self._counters, self._ended = clock, counters, ended
        self._loop = asyncio.get_running_loop()
        self._deframer = Deframer()
        self._outstanding: dict[int, tuple[UpstreamQuestion, _Waiter]] = {}
        self._unwritten = bytearray()
        self._abandoned = 0
        self._mismatches = 0
        self._progress_at = clock.monotonic()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.has_answered = False
        self.ending = UNSAID

    @property
    def waiting(self) -> int:
        """The number of questions that wait for an answer on it."""
        return len(self._outstanding) - self._abandoned

    @property
    def takes_questions(self) -> bool:
        """Whether it accepts more questions."""
        return self._is_up and self._abandoned < _MOST_ABANDONED

    @property
    def _is_up(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, question: UpstreamQuestion, *, edns: bool) -> _Waiter:
        """Send a question; return its answer's future, None if the connection ends first.

        Cancelling the future gives up; the other questions on the connection go on.
        """
        waiter: _Waiter = self._loop.create_future()
        if not self._is_up:
            waiter.set_result(None)
            return waiter
        if not self.waiting:
            self._progress_at = self._clock.monotonic()
        message_id = new_id()
        while message_id in self._outstanding:
            message_id = new_id()
        self._outstanding[message_id] = question, waiter
        waiter.add_done_callback(self._note_abandoned)
        self._write(frame(compose(question, message_id, edns=edns, pad_to=PAD_TO_OCTETS)))
        return waiter

    def close(self) -> None:
        """End it at once; every waiter gets None."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, framed: bytes) -> None:
        """Write all questions of this turn of the loop as one record."""
        if not self._unwritten:
            self._loop.call_soon(self._flush)
        self._unwritten += framed

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(bytes(self._unwritten))
            if not self.has_answered:
                self._loop.call_soon(self._acknowledge_at_once)
        self._unwritten.clear()

    def _acknowledge_at_once(self) -> None:
        """Save the first question 40 ms.

        Servers write their session tickets just before the first answer, and many hold
        the answer back until the tickets are acknowledged (Nagle), which a client
        delays that has just written. Linux resets the option by itself, so it is set
        after writing.
        """
        opened = self._transport.get_extra_info("socket") if self._transport else None
        if opened is not None:
            with contextlib.suppress(OSError):  # it is lost at this moment
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the new transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no base
        self._timer = self._loop.call_later(TICK_S, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:
        """Notify all waiters."""
        self._transport = None
        self.ending = self.ending or _why_closed(exc)
        if self._timer is not None:
            self._timer.cancel()
        if self.waiting:
            self._counters["tls_lost"] += 1
        outstanding, self._outstanding, self._abandoned = self._outstanding, {}, 0
        self._ended(self)
        for _, waiter in outstanding.values():
            if not waiter.done():
                waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Pass on every complete answer."""
        try:
            for message in self._deframer.feed(data):
                self._received(message)
                if not self._is_up:
                    return
        except WireError as error:
            self._give_up(say("it did not send a DNS message: {error}", error=error))

    def _received(self, message: bytes) -> None:
        message_id = int.from_bytes(message[:2], "big")
        question, waiter = self._outstanding.get(message_id, (None, None))
        response = parse_answer(message, question, message_id) if question else None
        if response is None or waiter is None:
            self._mismatched()
            return
        del self._outstanding[message_id]
        self.has_answered, self._progress_at = True, self._clock.monotonic()
        if waiter.done():
            self._abandoned -= 1
        else:
            waiter.set_result(response)

    def _mismatched(self) -> None:
        self._counters["mismatched"] += 1
        self._mismatches += 1
        if self._mismatches == _MOST_MISMATCHES:
            self._give_up(say("its answers match no question"))

    # Giving up.

    def _note_abandoned(self, waiter: _Waiter) -> None:
        self._abandoned += waiter.cancelled() and self._transport is not None

    def _tick(self) -> None:
        quiet_s = self._clock.monotonic() - self._progress_at
        if self.waiting and quiet_s >= STALL_S:
            self._give_up(say("it does not answer"))
        elif not self.waiting and (quiet_s >= IDLE_S or not self.takes_questions):
            self._close_politely()
        else:
            self._timer = self._loop.call_later(TICK_S, self._tick)

    def _give_up(self, reason: Sentence) -> None:
        self.ending = reason
        self.close()

    def _close_politely(self) -> None:
        """Close with close_notify, so that the server need not wait (RFC 7858 §3.4)."""
        if self._transport is not None:
            self._transport.close()


_Waiter = asyncio.Future[ParsedResponse | None]


def _why_closed(error: Exception | None) -> Sentence:
    if error is None:
        return say("it closed the connection")
    return refused(error) if isinstance(error, OSError) else quoted(str(error))


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

_logger = logging.getLogger("filterd.upstream")


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
        usable = [connection for connection in self._connections if connection.takes_questions]
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
            _logger.warning("upstream %s: %s", self._place, problem)
        else:
            _logger.info("upstream %s: it answers", self._place)

    @property
    def _place(self) -> str:
        return f"{self._server.address} port {self._server.port} by TLS"
