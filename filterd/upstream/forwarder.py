# SPDX-License-Identifier: Apache-2.0
"""The forwarder, interface of the package: a question -> a resolution.

Identical questions in flight share one exchange: at a lesson bell 2,000 devices ask
for one name. As many outstanding queries for it would give a forger 2,000 chances
at once (a birthday attack).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from math import inf
from typing import TYPE_CHECKING

from filterd.base.errors import UpstreamError, UpstreamTimeoutError
from filterd.base.native import native_or
from filterd.texts.i18n import UNSAID
from filterd.upstream import singleflight
from filterd.upstream.server_group import Groups, ServerGroup

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

    from filterd.base.clock import Clock
    from filterd.policy.model import UpstreamServer
    from filterd.texts.i18n import Sentence
    from filterd.upstream.resolution import Resolution
    from filterd.upstream.singleflight import LeavesAlone
    from filterd.upstream.upstream_question import Route, UpstreamQuestion

Flights = native_or(singleflight.Flights, "filterd.upstream._pool")


class Forwarder:
    """The forwarder; keeps the health of each server and the exchanges in flight."""

    def __init__(self, clock: Clock) -> None:
        self.counters: Counter[str] = Counter()
        """Events: ``sent`` by UDP, ``tcp``, ``tls``, ``shared``; ``mismatched``
        while something was waited for, ``unexpected`` while nothing was; ``icmp``,
        ``unreachable``; ``gave_way`` for another or refused by ``overload``; and of
        connections ``tls_connected``, ``tls_failed`` and ``tls_lost``."""
        self._clock = clock
        self._groups = Groups()
        self._flights = Flights(clock, self.counters, self._groups)
        self.ask = self._flights.ask
        """Resolve as ``resolve`` does, with a callback (``singleflight.Flights.ask``)."""
        self.soon = self._flights.soon
        """Calls a function after all outcomes of a turn (``singleflight.Flights.soon``)."""

    def mark_plain_by(self, leaves_alone: LeavesAlone) -> None:
        """Set the predicate for ``Resolution.plain`` of new answers.

        Without it none is plain.
        """
        self._flights.leaves_alone = leaves_alone

    @property
    def in_flight(self) -> int:
        """The number of exchanges in flight."""
        return len(self._flights)

    @property
    def sockets(self) -> int:
        """The number of open UDP sockets."""
        transports = self._flights.transports
        return len(transports.pool) if transports else 0

    def groups(self) -> dict[Route, ServerGroup]:
        """Return the health of the servers asked so far, for ``status``."""
        return self._groups.by_route

    def problem_of(self, server: UpstreamServer) -> Sentence:
        """Return why a server cannot be asked by TLS and the remedy, for ``status``."""
        transports = self._flights.transports
        return transports.problem_of(server) if transports else UNSAID

    async def resolve(
        self,
        question: UpstreamQuestion,
        asker: Hashable = None,
        deadline: float = inf,
    ) -> Resolution:
        """Ask, or join an exchange for the same question.

        Args:
            question: what is asked, and which servers.
            asker: the client, which may hold only a share of all slots; None for no limit.
            deadline: the clock's monotonic time until which to wait, if it is before
                the exchange's own.

        Raises:
            UpstreamOverloadError: too many exchanges are in flight.
            UpstreamError: no usable answer by the deadline.
        """
        waiter: asyncio.Future[Resolution | UpstreamError]
        waiter = asyncio.get_running_loop().create_future()

        def tell(outcome: Resolution | UpstreamError) -> None:
            if not waiter.done():  # the waiter may have been cancelled
                waiter.set_result(outcome)

        left_s = inf if deadline == inf else deadline - self._clock.monotonic()
        if left_s <= 0:
            raise UpstreamTimeoutError("no time is left")
        outcome = self.ask(question, asker, tell)
        if outcome is None:
            if left_s != inf:  # no timeout of asyncio's: that wants a task
                late = UpstreamTimeoutError("no answer in the time that was left")
                asyncio.get_running_loop().call_later(left_s, tell, late)
            outcome = await waiter
        if isinstance(outcome, UpstreamError):
            # A copy for each waiter: a shared one would collect a traceback of them all.
            raise type(outcome)(*outcome.args)
        return outcome

    def keep_to(self, routes: Collection[Route]) -> None:
        """End every exchange by a route that is not among these.

        Its waiters get an ``UpstreamOverloadError``, which proves nothing about the question.
        """
        self._flights.keep_to(routes)

    def close(self) -> None:
        """End every exchange with an error for its waiters; nothing is asked any more."""
        self._flights.close()
