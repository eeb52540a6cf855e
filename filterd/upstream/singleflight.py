# SPDX-License-Identifier: Apache-2.0
"""Exchanges in flight: questions to upstreams, and all waiters of each.

A question that is in flight already joins the same exchange. Waiters are called
back from within the event loop, in the order of asking, and a finished exchange is
remembered until everything that its callbacks wake has run.

This is the reference of ``_pool``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from filterd.errors import (
    UpstreamError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.upstream.exchange import Exchange, Outcome
from filterd.upstream.resolution import resolution_of
from filterd.upstream.transport_set import Transports
from filterd.upstream.wait_slots import WaitSlots

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Hashable

    from filterd.clock import Clock
    from filterd.policy.model import UpstreamServer
    from filterd.upstream.resolution import Resolution
    from filterd.upstream.server_group import Groups
    from filterd.upstream.upstream_question import Route, UpstreamQuestion
    from filterd.wire import ParsedResponse

Done = Callable[["Resolution | UpstreamError"], None]
LeavesAlone = Callable[["UpstreamQuestion", "Resolution"], bool]


class Flights:
    """Exchanges in flight, by question."""

    def __init__(self, clock: Clock, counters: Counter[str], groups: Groups) -> None:
        self._clock, self._counters, self._groups = clock, counters, groups
        self._flights: dict[UpstreamQuestion, _Flight] = {}
        self._places: WaitSlots[_Flight] = WaitSlots()
        self._landed: list[_Flight] = []
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
            asker: the client, which may hold only a share of all slots; None for no limit.
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
            self._places.share(flight, asker)
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
                # Called later: the caller, which has replaced the site, may be in any state.
                flight.loop.call_soon(flight.end(UpstreamOverloadError("it is asked elsewhere")))

    def close(self) -> None:
        """End every exchange with an error for its waiters; nothing is asked any more."""
        self._closed = True
        for flight in list(self._flights.values()):
            flight.end(UpstreamUnreachableError("filterd is stopping"))()
        if self.transports is not None:
            self.transports.close()

    def _start(self, question: UpstreamQuestion, asker: Hashable) -> _Flight:
        if self._closed:
            raise UpstreamUnreachableError("filterd is stopping")
        now = self._clock.monotonic()
        oldest = self._places.in_the_way(asker)
        if oldest is not None:
            self._end_for_another(oldest, now)
        transports = self._ways()
        order = self._groups.of(question.route).in_order(now)
        flight = self._flights[question] = _Flight(self, question, transports.loop)
        self._places.take(flight, asker, now)
        flight.start(Exchange(transports, order, question, flight.read, flight.land), now)
        return flight

    def _ways(self) -> Transports:
        if self.transports is None:
            try:
                self.transports = Transports(self._clock, self._counters)
            except OSError as error:
                raise UpstreamUnreachableError(f"no socket: {error.strerror}") from error
        return self.transports

    def _end_for_another(self, oldest: _Flight, now: float) -> None:
        """End the exchange that has to give way, or refuse the other."""
        if not self._places.gives_way(oldest, now):
            self._counters["overload"] += 1
            raise UpstreamOverloadError("too many questions are waiting for upstreams")
        self._counters["gave_way"] += 1
        # Called later: a waiter may ask again at once, and we are in the middle of asking.
        oldest.loop.call_soon(oldest.end(UpstreamOverloadError("it gave way to newer questions")))

    def landed(self, flight: _Flight) -> None:
        """Forget an exchange that is over, once its waiters have run.

        They put the outcome into the cache: a query between the two would ask again.
        """
        if not self._landed:
            flight.loop.call_soon(self._forget_landed)
        self._landed.append(flight)

    def forget(self, flight: _Flight) -> None:
        """Forget an exchange, unless that has been done."""
        if self._flights.get(flight.question) is flight:
            del self._flights[flight.question]
            self._places.free(flight)

    def _forget_landed(self) -> None:
        (first, *others), self._landed = self._landed, []
        self.forget(first)
        if others:  # landed at the same time, but the turn of its waiters comes after this
            first.loop.call_soon(self._forget_all, others)

    def _forget_all(self, flights: list[_Flight]) -> None:
        for flight in flights:
            self.forget(flight)


class _Flight:
    """One exchange and its waiters, in the order in which they came."""

    __slots__ = ("_exchange", "_flights", "loop", "outcome", "question", "waiters")

    def __init__(
        self, flights: Flights, question: UpstreamQuestion, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._flights, self.question, self.loop = flights, question, loop
        self.waiters: list[Done] = []
        self.outcome: Resolution | UpstreamError | None = None
        self._exchange: Exchange

    def start(self, exchange: Exchange, now: float) -> None:
        self._exchange = exchange
        try:
            exchange.start(now)
        except BaseException:  # else a later waiter for the same would wait for ever
            self.end(UpstreamUnreachableError("it could not be asked"))
            raise

    def end(self, error: UpstreamError) -> Callable[[], None]:
        """Give up; return the function that notifies all waiters."""
        self._exchange.close()
        self.outcome = error
        self._flights.forget(self)
        return self._tell

    def read(self, response: ParsedResponse, server: UpstreamServer) -> Outcome:
        """Extract from a response what may be kept."""
        return resolution_or_error(response, server, self.question, self._flights.leaves_alone)

    def land(self, outcome: Outcome) -> None:
        """Take the outcome of the exchange."""
        self.outcome = outcome
        self._tell()
        self._flights.landed(self)

    def _tell(self) -> None:
        """Notify all waiters; one that raises does not stop the others."""
        assert self.outcome is not None
        waiters, self.waiters = self.waiters, []
        for done in waiters:
            try:
                done(self.outcome)
            except Exception as error:  # noqa: BLE001 -- as the loop does with its callbacks
                self.loop.call_exception_handler(
                    {"message": "a waiter for an upstream has failed", "exception": error}
                )


def resolution_or_error(
    response: ParsedResponse,
    server: UpstreamServer,
    question: UpstreamQuestion,
    leaves_alone: LeavesAlone | None,
) -> Outcome:
    """Return the resolution of a response, or the error that it amounts to.

    AD is believed of a server that the site trusts (RFC 6840 §5.8).
    """
    try:
        resolution = resolution_of(response, question)
    except UpstreamError as error:
        return type(error)(*error.args)  # one without a traceback, which all waiters can raise
    authentic = server.trusted and response.header.ad
    plain = leaves_alone is not None and leaves_alone(question, resolution)
    return resolution._replace(authentic=authentic, plain=plain)
