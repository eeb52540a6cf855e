# SPDX-License-Identifier: Apache-2.0
"""Answer over TCP: framed, several at a time, in any order (RFC 7766).

The answers are the same as over UDP.

There are few places for connections, and holding one costs an attacker nothing. A limit
alone would therefore lock every client out: fifteen addresses with ten connections each are
enough. So when all are taken, a client that holds less than others gets a place of theirs.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, cast

from filterd.base.acceptor import Acceptor
from filterd.base.errors import WireError
from filterd.fastpath.datagrams import Traffic
from filterd.fastpath.pktinfo import interface_of
from filterd.resolve.query import Peer
from filterd.wire import Deframer, fit, frame, size_limit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.fastpath.coroutine_runner import Stepper
    from filterd.fastpath.rate_limit import Limiter
    from filterd.resolve.resolver import Resolver

FIRST_OCTET_WITHIN_S = 3.0
MESSAGE_WITHIN_S = 2.0
IDLE_S = 10.0
LINGER_S = 2.0
MOST_QUERIES_A_CONNECTION = 100
MOST_IN_FLIGHT = 20
MOST_UNREAD_OCTETS = 256 * 1024
"""The memory for answers that a client does not read."""

REST_S = 0.1
"""The delay of each further question of a client above its rate.

Nothing is refused, and forged UDP questions in its name cannot delay it longer, because
a client with a connection is real.
"""

_LARGEST_QUERY = 4_096
_READ_OCTETS = 16 * 1024
_INHERITED = {
    # The kernel's buffers of a connection, which may be megabytes by default.
    (socket.SOL_SOCKET, socket.SO_RCVBUF): 16 * 1024,
    (socket.SOL_SOCKET, socket.SO_SNDBUF): 128 * 1024,
    # Answers are small and leave one by one; asyncio sets this for some sockets only.
    (socket.IPPROTO_TCP, socket.TCP_NODELAY): 1,
}
"""Options of a listening socket that its connections have, too."""

_GO_WITHIN_S = 0.2
"""How long clients have to see that their connections end, before these are cut."""

_BACKLOG = 512

_logger = logging.getLogger("filterd.daemon")

MOST_CONNECTIONS = 150
MOST_CONNECTIONS_A_CLIENT = 10
"""For one worker."""


class TcpListener:
    """One listening TCP socket; ``places`` are those of all the listeners of a worker."""

    def __init__(
        self, resolver: Resolver, stepper: Stepper, limiter: Limiter, places: TcpSlots
    ) -> None:
        self.resolver, self.stepper, self.limiter = resolver, stepper, limiter
        self.places = places
        self.connections: set[TcpConnection] = set()
        self.traffic = Traffic()
        self.read_into = memoryview(bytearray(_READ_OCTETS))
        """One for all connections: the content is taken out before the next read."""
        self.loop = asyncio.get_running_loop()
        self._acceptor: Acceptor | None = None
        self._connecting = 0
        self._winds_up = False
        self._all_gone: asyncio.Future[None] | None = None

    @property
    def patience_s(self) -> tuple[float, float]:
        """How long a client has until its first octet, and between questions."""
        return FIRST_OCTET_WITHIN_S, IDLE_S

    def device_of(self, peer: Peer) -> str:
        """Return whose places its connection takes."""
        return peer.address

    def made(self, peer: Peer) -> asyncio.BaseProtocol:
        """Return the protocol of a new connection."""
        return TcpConnection(self, peer)

    @property
    def port(self) -> int:
        """The port that it is bound to."""
        assert self._acceptor is not None
        port: int = self._acceptor.listening.getsockname()[1]
        return port

    def start(self, opened: socket.socket) -> None:
        """Accept from a socket that ``pktinfo.bind`` has opened.

        Closing the listener closes the socket.
        """
        for (level, option), value in _INHERITED.items():
            opened.setsockopt(level, option, value)
        address, port, *_ = opened.getsockname()
        self._acceptor = Acceptor(
            opened,
            f"{address} port {port}",
            lambda *accepted: self.stepper.run(self._connect(*accepted), lambda _: None),
        )
        self._acceptor.listen(_BACKLOG)

    def wind_up(self) -> None:
        """Accept no more; answer each question that has come, then end each connection.

        Later connections wait in the kernel for the next listener.
        """
        if self._acceptor is None or self._winds_up:
            return
        self._winds_up = True
        self._acceptor.close()
        for connection in self.connections:
            connection.wind_up()

    async def close(self) -> None:
        """Stop, and close every connection that does not end by itself in a moment."""
        self.wind_up()
        if self.connections or self._connecting:
            self._all_gone = self.loop.create_future()
            await asyncio.wait((self._all_gone,), timeout=_GO_WITHIN_S)
        for connection in list(self.connections):
            connection.abort()

    async def _connect(self, accepted: socket.socket, address: Any) -> None:
        """Make a connection of an accepted socket, or turn a stranger away."""
        peer = Peer(address[0], interface_of(accepted))
        if not self.resolver.may_ask(peer):
            accepted.close()
            return
        self._connecting += 1  # it takes a round of the loop
        try:
            await self.loop.connect_accepted_socket(lambda: self.made(peer), accepted)
        except OSError:  # its client is gone
            accepted.close()
        finally:
            self._connecting -= 1
            self._notice_if_all_gone()

    def began(self, connection: TcpConnection) -> None:
        """Keep a connection."""
        self.connections.add(connection)
        if self._winds_up:  # it was being accepted
            connection.wind_up()

    def ended(self, connection: TcpConnection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        self._notice_if_all_gone()

    def _notice_if_all_gone(self) -> None:
        waiting = self._all_gone
        if waiting is not None and not (waiting.done() or self.connections or self._connecting):
            waiting.set_result(None)


class TcpConnection(asyncio.BufferedProtocol):
    """One client's connection.

    Time is measured from the last whole question or answer, not from the last octet: a
    client that sends one octet a second makes no progress. A client without a whole
    question gets less time than one that has asked before, because there are few
    connections, and holding them costs an attacker nothing. Questions above the limit of
    one connection wait in ``_messages``.
    """

    def __init__(self, listener: TcpListener, peer: Peer) -> None:
        self.client = listener.device_of(peer)
        self._listener, self._peer = listener, peer
        self._network = listener.resolver.network_of(peer)
        self._loop = listener.loop
        self.progressed_at = self._loop.time()
        self._deframer = Deframer(_LARGEST_QUERY)
        self._messages: deque[bytes] = deque()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ends_at = 0.0
        self._resting: asyncio.TimerHandle | None = None
        self._has_rested = False
        self._asked = 0
        self._in_flight = 0
        self._taking = False
        self._has_answered = False
        self._is_half_closed = False
        self._complete = False
        """No more questions will be taken: the connection ends with the last answer."""

    @property
    def is_busy(self) -> bool:
        """Whether an answer is on its way."""
        return self._in_flight > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give it a place, or turn it away."""
        self._transport = transport = cast("asyncio.Transport", transport)  # uvloop's has no base
        self._listener.began(self)
        if not self._listener.places.take(self):
            transport.abort()
            return
        transport.set_write_buffer_limits(high=MOST_UNREAD_OCTETS)
        self._end_after(self._listener.patience_s[0])

    def connection_lost(self, _: Exception | None) -> None:
        """Give its place back."""
        self._transport = None
        self._messages.clear()
        self._listener.ended(self)
        self._listener.places.release(self)
        for timer in (self._timer, self._resting):
            if timer is not None:
                timer.cancel()

    def pause_writing(self) -> None:
        """End a client that asks and does not read."""
        self.abort()

    def eof_received(self) -> bool:
        """Keep the way back open: some clients close their half after the last question."""
        self._complete = self._is_half_closed = True
        return not self._is_done()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Return the buffer to read into, which limits one read."""
        return self._listener.read_into

    def buffer_updated(self, nbytes: int) -> None:
        """Answer every message that is whole now, up to the last that may be asked."""
        if self._complete:
            return
        had_begun = self._deframer.pending
        whole = self._deframer.feed(bytes(self._listener.read_into[:nbytes]))
        room = MOST_QUERIES_A_CONNECTION - self._asked - len(self._messages)
        try:
            self._messages.extend(islice(whole, room))
        except WireError:
            self.abort()
            return
        if self._messages:
            self._take()
        elif not had_begun:
            self._end_after(MESSAGE_WITHIN_S)

    def wind_up(self) -> None:
        """Answer the questions that have come, and end; they are read two rounds later."""
        self._loop.call_soon(self._loop.call_soon, self._take_no_more)

    def _take_no_more(self) -> None:
        self._complete = True
        if self._is_done():
            self._finish()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self) -> None:
        """Take questions while there are any and the client may ask more at a time."""
        if self._taking:
            return  # an answer that was ready at once: the loop below goes on by itself
        self._taking = True
        while self._messages and not self._must_wait() and not self._is_closing():
            if self._is_admitted():
                self._answer_or_skip(self._messages.popleft())
        self._taking = False
        self._expect_progress()
        self._limit_reading()
        if self._complete and self._is_done():
            self._finish()

    def _finish(self) -> None:
        """End it so that the last answers arrive.

        If a socket is closed with unread data, the kernel resets the connection, and
        answers on their way are lost (RFC 1122 §4.2.2.13). So the rest of a client's data
        is read for a moment.
        """
        if self._transport is None or self._is_closing():
            return
        if self._is_half_closed:
            self._transport.close()
            return
        self._transport.write_eof()
        if not self._transport.is_reading():
            self._transport.resume_reading()
        self._end_after(LINGER_S)

    def _is_admitted(self) -> bool:
        """Return whether the rate allows the next question.

        If it does not, the question is taken after a pause.
        """
        limiter, peer = self._listener.limiter, self._peer
        if self._has_rested or limiter.admits(peer.address, peer.interface):
            self._has_rested = False
            return True
        self._resting = self._loop.call_later(REST_S, self._rested)
        return False

    def _rested(self) -> None:
        self._resting, self._has_rested = None, True
        self._take()

    def _answer_or_skip(self, message: bytes) -> None:
        try:
            self._received(message)
        except Exception:
            _logger.exception("a message could not be answered")

    def _received(self, message: bytes) -> None:
        self._asked += 1
        if self._asked == MOST_QUERIES_A_CONNECTION:
            self._complete = True
            self._messages.clear()
        if self._listener.resolver.network_of(self._peer) != self._network:
            self.abort()  # its address is another device's now, or claimed by one
            return
        began = self._listener.limiter.clock.monotonic()
        admitted = self._listener.resolver.admit(message, self._peer)
        if admitted is None:
            self.abort()
            return
        self._listener.traffic.asked(self._peer.address)
        if isinstance(admitted, bytes):
            self._write(admitted, began)
        else:
            self._in_flight += 1
            limit = size_limit(admitted.message, "tcp")
            self._listener.stepper.run(
                self._listener.resolver.respond(admitted),
                lambda reply: self._answered(reply, limit, began),
            )

    def _answered(self, reply: bytes, limit: int, began: float) -> None:
        self._in_flight -= 1
        try:
            self._write(fit(reply, limit), began)
        finally:
            self._take()

    def _write(self, reply: bytes, began: float) -> None:
        if self._transport is None or self._is_closing():
            return
        self._transport.write(frame(reply))
        took_s = self._listener.limiter.clock.monotonic() - began
        self._listener.traffic.replied(reply, took_s)
        if not self._has_answered:
            self._has_answered = True
            self._listener.limiter.prove(self._peer.address, self._peer.interface)

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _is_done(self) -> bool:
        return not self._in_flight and not self._messages

    def _must_wait(self) -> bool:
        """Return whether enough questions of this client wait, or it is above its rate."""
        return self._in_flight >= MOST_IN_FLIGHT or self._resting is not None

    def _limit_reading(self) -> None:
        """Read no further than questions are taken."""
        if self._transport is None or self._is_closing():
            return
        if self._must_wait() or self._complete:
            self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()

    def _expect_progress(self) -> None:
        # The rest of a message may be waiting until we read on.
        is_unfinished = self._deframer.pending and not self._must_wait()
        self.progressed_at = self._loop.time()
        self._end_after(MESSAGE_WITHIN_S if is_unfinished else self._listener.patience_s[1])

    def _end_after(self, seconds: float) -> None:
        """End the connection after so many seconds.

        A timer that is set for an earlier moment is set again at that moment.
        """
        self._ends_at = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= self._ends_at:
                return
            self._timer.cancel()
        if self._transport is not None:
            self._timer = self._loop.call_at(self._ends_at, self._time_is_over)

    def _time_is_over(self) -> None:
        self._timer = None
        left_s = self._ends_at - self._loop.time()
        if left_s > 0:
            self._end_after(left_s)
        else:
            self.abort()


class Holder(Protocol):
    """A connection, as far as its place is concerned."""

    client: str
    """Its address, or its device."""

    progressed_at: float
    """When its last whole question or answer passed, or when it was made; seconds of any clock."""

    @property
    def is_busy(self) -> bool:
        """Whether it waits for an answer of ours."""

    def abort(self) -> None:
        """End it at once."""


class TcpSlots:
    """The holders of connections, over all the listeners of one transport in a worker.

    Args:
        most: how many there are, if not as many as by TCP.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._held: dict[str, dict[Holder, None]] = {}  # in the order in which they came
        self._total = 0

    def __len__(self) -> int:
        return self._total

    def of(self, client: str) -> int:
        """Return how many connections a client holds."""
        return len(self._held.get(client, ()))

    def take(self, newcomer: Holder) -> bool:
        """Give a place, perhaps after ending another's; return whether there was one."""
        own = self.of(newcomer.client)
        if own >= MOST_CONNECTIONS_A_CLIENT:
            return False
        if self._total >= (self._most or MOST_CONNECTIONS):
            leaving = self._leaving_for(own)
            if leaving is None:
                return False
            self.release(leaving)
            leaving.abort()
        self._held.setdefault(newcomer.client, {})[newcomer] = None
        self._total += 1
        return True

    def release(self, holder: Holder) -> None:
        """Take a place back; nothing happens where none is held."""
        held = self._held.get(holder.client, {})
        if holder not in held:
            return
        del held[holder]
        self._total -= 1
        if not held:
            del self._held[holder.client]

    def _leaving_for(self, own: int) -> Holder | None:
        """Return the connection whose place a client with ``own`` connections may take.

        An idle one; otherwise one that waits for an answer, but only of a client that
        holds more than the new one will: equals must not end each other.
        """
        idle = [one for one in self._held_by_larger(own) if not one.is_busy]
        return self._first_to_leave(idle or self._held_by_larger(own + 1))

    def _held_by_larger(self, own: int) -> list[Holder]:
        return [one for held in self._held.values() if len(held) > own for one in held]

    def _first_to_leave(self, holders: Iterable[Holder]) -> Holder | None:
        """Return, of the largest holder, the connection with the oldest last progress."""
        return min(
            holders,
            key=lambda holder: (-self.of(holder.client), holder.progressed_at),
            default=None,
        )
