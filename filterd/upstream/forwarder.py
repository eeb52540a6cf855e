# SPDX-License-Identifier: Apache-2.0
"""The face of the floor: a question and a route -> a resolution.

Identical questions in flight share one exchange: a lesson bell asks one name two
thousand times, and answering the birthday odds of a forger with as many
outstanding queries would be an invitation (reliability.md B3).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from filterd.errors import (
    UpstreamError,
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.upstream.exchange import Exchange, Outcome
from filterd.upstream.extraction import resolution_of
from filterd.upstream.group import ServerGroup, ServerHealth
from filterd.upstream.places import Places
from filterd.upstream.transports import Transports

if TYPE_CHECKING:
    from collections.abc import Hashable

    from filterd.clock import Clock
    from filterd.policy.model import UpstreamServer
    from filterd.upstream.question import UpstreamQuestion
    from filterd.upstream.resolution import Resolution
    from filterd.upstream.route import Route

_MOST_GROUPS = 256
"""Routes remembered: reloads make new ones, and what no site uses is forgotten at last."""


class Forwarder:
    """Asks upstreams; keeps what it learned about each server and what is in flight."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._groups: dict[Route, ServerGroup] = {}
        self._flights: dict[_Key, _Flight] = {}
        self._places: Places[_Flight] = Places()
        self._landed: list[_Flight] = []
        self._transports: Transports | None = None
        self._closed = False
        self.counters: Counter[str] = Counter()
        """What happened: ``sent`` by UDP, ``tcp``, ``tls``, ``shared``; ``mismatched``
        while something was waited for, ``unexpected`` while nothing was; ``icmp``,
        ``unreachable``; ``gave_way`` for another or refused by ``overload``; and of
        connections ``tls_connected``, ``tls_failed`` and ``tls_lost``."""

    @property
    def in_flight(self) -> int:
        """How many exchanges are going on."""
        return len(self._flights)

    @property
    def sockets(self) -> int:
        """How many UDP sockets are open."""
        return len(self._transports.pool) if self._transports else 0

    def groups(self) -> dict[Route, ServerGroup]:
        """Return what is known about the servers asked so far, for ``status``."""
        return self._groups

    def problem_of(self, server: UpstreamServer) -> str:
        """Return why a server cannot be asked by TLS and what to do, for ``status``."""
        return self._transports.problem_of(server) if self._transports else ""

    async def resolve(
        self, question: UpstreamQuestion, route: Route, asker: Hashable = None
    ) -> Resolution:
        """Ask, or wait for whoever asks the same already.

        Args:
            question: what is asked.
            route: whom to ask.
            asker: who may not take more than a share of all places; None for nobody.

        Raises:
            UpstreamOverloadError: too many exchanges are going on.
            UpstreamError: no usable answer by the deadline.
        """
        waiter: asyncio.Future[Resolution | UpstreamError]
        waiter = asyncio.get_running_loop().create_future()

        def tell(outcome: Resolution | UpstreamError) -> None:
            if not waiter.done():  # who asked may have gone away
                waiter.set_result(outcome)

        outcome = self.ask(question, route, asker, tell)
        if outcome is None:
            outcome = await waiter
        if isinstance(outcome, UpstreamError):
            # Of its own for each waiter: a shared one would grow a traceback of them all.
            raise type(outcome)(*outcome.args)
        return outcome

    def ask(
        self, question: UpstreamQuestion, route: Route, asker: Hashable, done: Done
    ) -> Resolution | UpstreamError | None:
        """Do what ``resolve`` does for who waits by a callback.

        Args:
            question: what is asked.
            route: whom to ask.
            asker: who may not take more than a share of all places; None for nobody.
            done: told the outcome, once, unless it is returned; never from within a
                call of this, its own or another's. An error is the same object for all
                who wait: who raises it makes one of its own.

        Returns:
            The outcome if it is there already, be it that asking failed; else None.
        """
        key = (route, question)
        flight = self._flights.get(key)
        if flight is None:
            try:
                flight = self._start(key, asker)
            except UpstreamError as error:
                return error
        else:
            self.counters["shared"] += 1
            self._places.share(flight, asker)
        if flight.outcome is None:
            flight.waiters.append(done)
        return flight.outcome

    def close(self) -> None:
        """End every exchange; whoever waits gets an error. Nothing is asked any more."""
        self._closed = True
        for flight in list(self._flights.values()):
            flight.end(UpstreamUnreachableError("filterd is stopping"))()
        if self._transports is not None:
            self._transports.close()

    def _start(self, key: _Key, asker: Hashable) -> _Flight:
        if self._closed:
            raise UpstreamUnreachableError("filterd is stopping")
        now = self._clock.monotonic()
        oldest = self._places.in_the_way(asker)
        if oldest is not None:
            self._end_for_another(oldest, now)
        transports = self._ways()
        flight = self._flights[key] = _Flight(self, key, transports.loop)
        self._places.take(flight, asker, now)
        flight.start(transports, self._group(key[0]), now)
        return flight

    def _ways(self) -> Transports:
        """Return the ways to ask, made with the first question: they belong to its loop."""
        if self._transports is None:
            try:
                self._transports = Transports(self._clock, self.counters)
            except OSError as error:
                raise UpstreamUnreachableError(f"no socket: {error.strerror}") from error
        return self._transports

    def _end_for_another(self, oldest: _Flight, now: float) -> None:
        """End the exchange that has to give way, or refuse the other."""
        if not self._places.gives_way(oldest, now):
            self.counters["overload"] += 1
            raise UpstreamOverloadError("too many questions are waiting for upstreams")
        self.counters["gave_way"] += 1
        # Told later: whoever hears of it may ask again, and we are in the middle of asking.
        oldest.loop.call_soon(oldest.end(UpstreamOverloadError("it gave way to newer questions")))

    def _group(self, route: Route) -> ServerGroup:
        group = self._groups.get(route)
        if group is None:
            members = tuple(self._health(server) for server in route.servers)
            group = self._groups[route] = ServerGroup(members)
            if len(self._groups) > _MOST_GROUPS:
                del self._groups[next(iter(self._groups))]
        return group

    def _health(self, server: UpstreamServer) -> ServerHealth:
        """Return what is known of a server, whichever route leads to it."""
        for group in self._groups.values():
            for member in group.members:
                if member.server == server:
                    return member
        return ServerHealth(server)

    def landed(self, flight: _Flight) -> None:
        """Forget an exchange that is over, once its waiters have had their turn.

        They put it into the cache: who comes between would ask again.
        """
        if not self._landed:
            flight.loop.call_soon(self._forget_landed)
        self._landed.append(flight)

    def forget(self, flight: _Flight) -> None:
        """Forget an exchange, if that has not been done."""
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
            self._places.free(flight)

    def _forget_landed(self) -> None:
        (first, *others), self._landed = self._landed, []
        self.forget(first)
        if others:  # landed at the same time, but their waiters' turn comes after this
            first.loop.call_soon(self._forget_all, others)

    def _forget_all(self, flights: list[_Flight]) -> None:
        for flight in flights:
            self.forget(flight)


_Key = tuple["Route", "UpstreamQuestion"]
Done = Callable[["Resolution | UpstreamError"], None]


class _Flight:
    """One exchange, and everybody who waits for it, in the order in which they came."""

    __slots__ = ("_exchange", "_forwarder", "key", "loop", "outcome", "waiters")

    def __init__(self, forwarder: Forwarder, key: _Key, loop: asyncio.AbstractEventLoop) -> None:
        self._forwarder, self.key, self.loop = forwarder, key, loop
        self.waiters: list[Done] = []
        self.outcome: Resolution | UpstreamError | None = None
        self._exchange: Exchange

    def start(self, transports: Transports, group: ServerGroup, now: float) -> None:
        self._exchange = Exchange(transports, group, self.key[1], self._landed, now)
        try:
            self._exchange.start(now)
        except BaseException:  # else who asks the same later would wait for nobody
            self.end(UpstreamUnreachableError("it could not be asked"))
            raise

    def end(self, error: UpstreamError) -> Callable[[], None]:
        """Give up; return what tells everybody who waits."""
        self._exchange.close()
        self.outcome = error
        self._forwarder.forget(self)
        return self._tell

    def _landed(self, outcome: Outcome) -> None:
        found: Resolution | UpstreamError = UpstreamMalformedError("nothing could be made of it")
        try:
            found = _resolution_or_error(outcome, self.key)
        finally:  # whatever is wrong with us, nobody waits for ever
            self.outcome = found
            self._tell()
            self._forwarder.landed(self)

    def _tell(self) -> None:
        """Tell everybody; one that raises keeps nobody else waiting."""
        assert self.outcome is not None
        waiters, self.waiters = self.waiters, []
        for done in waiters:
            try:
                done(self.outcome)
            except Exception as error:  # noqa: BLE001 -- as the loop does with its callbacks
                self.loop.call_exception_handler(
                    {"message": "who waited for an upstream has failed", "exception": error}
                )


def _resolution_or_error(outcome: Outcome, key: _Key) -> Resolution | UpstreamError:
    """Keep what may be kept; AD is believed of a server that the site trusts (RFC 6840 §5.8)."""
    if isinstance(outcome, UpstreamError):
        return outcome
    route, question = key
    response, server = outcome
    try:
        resolution = resolution_of(response, question, whole=route.whole)
    except UpstreamError as error:
        return type(error)(*error.args)
    if server.trusted and response.header.ad:
        return resolution._replace(authentic=True)
    return resolution
