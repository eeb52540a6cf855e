# SPDX-License-Identifier: Apache-2.0
"""Exchanges in flight: identical questions share one, and their number is bounded.

Waiters are called back from within the event loop, in the order of asking. A finished
exchange is remembered until everything that its callbacks wake has run: they put the
outcome into the cache, and a query between the two would ask again.

Names whose servers are silent hold an exchange for seconds, and one client can ask for a
thousand such names. So one client holds at most a quarter of the exchanges; one that a
second client waits for is no part of a share. Where there are too many, the exchange that
has waited longest gives way, if it has waited longer than nearly every answer takes. Unbound
does the same (``jostle-timeout``): quick answers go on, however many others hang.

This is the plain way; ``_pool`` has the same contract and bounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from filterd.base.errors import (
    UpstreamError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.upstream.exchange import Exchange, Outcome
from filterd.upstream.resolution import resolution_of
from filterd.upstream.transport_set import Transports

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Hashable

    from filterd.base.clock import Clock
    from filterd.policy.model import UpstreamServer
    from filterd.upstream.resolution import Resolution
    from filterd.upstream.server_group import Groups
    from filterd.upstream.upstream_question import Route, UpstreamQuestion
    from filterd.wire import ParsedResponse

MOST_EXCHANGES, MOST_A_CLIENT = 1_000, 250
GIVES_WAY_AFTER_S = 0.2

Done = Callable[["Resolution | UpstreamError"], None]
LeavesAlone = Callable[["UpstreamQuestion", "Resolution"], bool]


class Flights:
    """Exchanges in flight, by question."""

    def __init__(self, clock: Clock, counters: Counter[str], groups: Groups) -> None:
        self._clock, self._counters, self._groups = clock, counters, groups
        self._flights: dict[UpstreamQuestion, _Flight] = {}  # the oldest is the first
        self._closed = False
        self.leaves_alone: LeavesAlone | None = None
        """Decides whether a resolution is ``plain``; None: none is."""
        self.transports: Transports | None = None
        """The transports, made with the first question: they belong to its loop."""

    def __len__(self) -> int:
        return len(self._flights)

    def ask(
        self, question: UpstreamQuestion, asker: Hashable, done: Done
    ) -> Resolution | UpstreamError | None:
        """Resolve as ``Forwarder.resolve`` does, with a callback.

        Args:
            question: what is asked, and which servers.
            asker: the client, which may hold only a share of all exchanges; None for no limit.
            done: called with the outcome, once, unless it is returned; never from within a
                call of this object's methods. An error is the same object for all waiters:
                to raise it, make a copy.

        Returns:
            The outcome, a resolution or an error, if it is there already; else None.
        """
        flight = self._flights.get(question)
        if flight is None:
            try:
                flight = self._start(question, asker)
            except UpstreamError as error:
                return error
        else:
            self._counters["shared"] += 1
            flight.asker = asker if flight.asker == asker else None
        if flight.outcome is None:
            flight.waiters.append(done)
        return flight.outcome

    def soon(self, callback: Callable[[], None]) -> None:
        """Call a function after the outcomes of this turn, or in the next turn."""
        if self.transports is not None:
            self.transports.pool.soon(callback)
        else:
            asyncio.get_running_loop().call_soon(callback)

    def keep_to(self, routes: Collection[Route]) -> None:
        """End every exchange by another route; see ``Forwarder.keep_to``."""
        for flight in list(self._flights.values()):
            if flight.outcome is None and flight.question.route not in routes:
                self._end_soon(flight, UpstreamOverloadError("it is asked elsewhere"))

    def close(self) -> None:
        """End every exchange with an error for its waiters; nothing is asked any more."""
        self._closed = True
        for flight in list(self._flights.values()):
            self._end(flight, UpstreamUnreachableError("filterd is stopping"))
            self._notify(flight)
        if self.transports is not None:
            self.transports.close()

    def _start(self, question: UpstreamQuestion, asker: Hashable) -> _Flight:
        if self._closed:
            raise UpstreamUnreachableError("filterd is stopping")
        now = self._clock.monotonic()
        self._make_room(asker, now)
        if self.transports is None:
            try:
                self.transports = Transports(self._clock, self._counters)
            except OSError as error:
                raise UpstreamUnreachableError(f"no socket: {error.strerror}") from error
        order = self._groups.of(question.route).in_order(now)
        flight = self._flights[question] = _Flight(question, asker, now)
        read, land = partial(self._read, question), partial(self._land, flight)
        flight.exchange = Exchange(self.transports, order, question, read, land)
        try:
            flight.exchange.start(now)
        except BaseException:  # else a later waiter for the same would wait for ever
            self._end(flight, UpstreamUnreachableError("it could not be asked"))
            raise
        return flight

    def _make_room(self, asker: Hashable, now: float) -> None:
        """End the exchange that gives way to a question of this client.

        Raises:
            UpstreamOverloadError: none has waited long enough.
        """
        held = list(self._flights.values())
        own = [flight for flight in held if asker is not None and flight.asker == asker]
        if len(own) >= MOST_A_CLIENT:
            oldest = own[0]
        elif len(held) >= MOST_EXCHANGES:
            oldest = held[0]
        else:
            return
        if now - oldest.started_at < GIVES_WAY_AFTER_S:
            self._counters["overload"] += 1
            raise UpstreamOverloadError("too many questions are waiting for upstreams")
        self._counters["gave_way"] += 1
        self._end_soon(oldest, UpstreamOverloadError("it gave way to newer questions"))

    def _read(
        self, question: UpstreamQuestion, response: ParsedResponse, server: UpstreamServer
    ) -> Outcome:
        """Return the resolution of a response, or the error that it amounts to.

        AD is believed of a server that the site trusts (RFC 6840 §5.8).
        """
        try:
            resolution = resolution_of(response, question)
        except UpstreamError as error:
            return type(error)(*error.args)  # one without a traceback, which all waiters can raise
        authentic = server.trusted and response.header.ad
        plain = self.leaves_alone is not None and self.leaves_alone(question, resolution)
        return resolution._replace(authentic=authentic, plain=plain)

    def _land(self, flight: _Flight, outcome: Outcome) -> None:
        flight.outcome = outcome
        self._notify(flight)
        self._loop().call_soon(self._forget, flight)

    def _end(self, flight: _Flight, error: UpstreamError) -> None:
        flight.exchange.close()
        flight.outcome = error
        self._forget(flight)

    def _end_soon(self, flight: _Flight, error: UpstreamError) -> None:
        """End an exchange; its waiters are called later: the caller may be in any state."""
        self._end(flight, error)
        self._loop().call_soon(self._notify, flight)

    def _notify(self, flight: _Flight) -> None:
        """Call all waiters; one that raises does not stop the others."""
        assert flight.outcome is not None
        waiters, flight.waiters = flight.waiters, []
        for done in waiters:
            try:
                done(flight.outcome)
            except Exception as error:  # noqa: BLE001 -- as the loop does with its callbacks
                self._loop().call_exception_handler(
                    {"message": "a waiter for an upstream has failed", "exception": error}
                )

    def _forget(self, flight: _Flight) -> None:
        if self._flights.get(flight.question) is flight:
            del self._flights[flight.question]

    def _loop(self) -> asyncio.AbstractEventLoop:
        assert self.transports is not None
        return self.transports.loop


class _Flight:
    """One exchange and its waiters; ``asker`` is the client of whose share it is part."""

    exchange: Exchange

    def __init__(self, question: UpstreamQuestion, asker: Hashable, started_at: float) -> None:
        self.question, self.asker, self.started_at = question, asker, started_at
        self.waiters: list[Done] = []
        self.outcome: Resolution | UpstreamError | None = None
