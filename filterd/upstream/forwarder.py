# SPDX-License-Identifier: Apache-2.0
"""The face of the floor: a question and a route -> a resolution.

Identical questions in flight share one exchange: a lesson bell asks one name two
thousand times, and answering the birthday odds of a forger with as many
outstanding queries would be an invitation (reliability.md B3).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from filterd.errors import UpstreamError, UpstreamOverloadError, UpstreamUnreachableError
from filterd.upstream.exchange import Exchange, Outcome
from filterd.upstream.group import ServerGroup
from filterd.upstream.resolution import Resolution, resolution_of

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.upstream.question import UpstreamQuestion
    from filterd.upstream.route import Route

MOST_IN_FLIGHT = 1_000
"""Distinct exchanges at a time; waiters on one are bounded by memory only (dns.md §7)."""


class Forwarder:
    """Asks upstreams; keeps what it learned about each server and what is in flight."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._groups: dict[Route, ServerGroup] = {}
        self._in_flight: dict[tuple[Route, UpstreamQuestion], tuple[Exchange, _Flight]] = {}
        self.counters: Counter[str] = Counter()
        """What happened: ``sent``, ``shared``, ``tcp``, ``mismatched``, ``icmp``,
        ``unreachable``, ``overload``."""

    @property
    def in_flight(self) -> int:
        """How many exchanges are going on."""
        return len(self._in_flight)

    def groups(self) -> dict[Route, ServerGroup]:
        """Return what is known about the servers asked so far, for ``status``."""
        return self._groups

    async def resolve(self, question: UpstreamQuestion, route: Route) -> Resolution:
        """Ask, or wait for whoever asks the same already.

        Raises:
            UpstreamError: no usable answer by the deadline, or too many
                exchanges are going on.
        """
        key = (route, question)
        going_on = self._in_flight.get(key)
        if going_on is None:
            return await self._start(key).join()
        self.counters["shared"] += 1
        return await going_on[1].join()

    def close(self) -> None:
        """End every exchange; whoever waits gets an error."""
        for exchange, flight in list(self._in_flight.values()):
            exchange.close()
            flight.land(UpstreamUnreachableError("filterd is stopping"))
        self._in_flight.clear()

    def _start(self, key: tuple[Route, UpstreamQuestion]) -> _Flight:
        route, question = key
        if len(self._in_flight) >= MOST_IN_FLIGHT:
            self.counters["overload"] += 1
            raise UpstreamOverloadError("too many questions are waiting for upstreams")
        group = self._groups.get(route)
        if group is None:
            group = self._groups[route] = ServerGroup(route.servers)
        flight = _Flight()

        def landed(outcome: Outcome) -> None:
            self._in_flight.pop(key, None)
            flight.land(_resolution_or_error(outcome, question, whole=route.whole))

        exchange = Exchange(group, question, self._clock, self.counters, landed)
        self._in_flight[key] = exchange, flight
        exchange.start()
        return flight


def _resolution_or_error(
    outcome: Outcome, question: UpstreamQuestion, *, whole: bool
) -> Resolution | UpstreamError:
    if isinstance(outcome, UpstreamError):
        return outcome
    try:
        return resolution_of(outcome, question, whole=whole)
    except UpstreamError as error:
        return error


class _Flight:
    """The outcome of one exchange, and everybody who waits for it.

    Each waiter has a future of its own: a client that goes away cancels only
    its own.
    """

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[Resolution]] = []
        self._outcome: Resolution | UpstreamError | None = None

    async def join(self) -> Resolution:
        if self._outcome is None:
            waiter: asyncio.Future[Resolution] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            return await waiter
        if isinstance(self._outcome, UpstreamError):
            raise self._outcome
        return self._outcome

    def land(self, outcome: Resolution | UpstreamError) -> None:
        self._outcome = outcome
        for waiter in self._waiters:
            if waiter.done():
                continue
            if isinstance(outcome, UpstreamError):
                waiter.set_exception(outcome)
            else:
                waiter.set_result(outcome)
