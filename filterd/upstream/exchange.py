# SPDX-License-Identifier: Apache-2.0
"""One question put to a group of servers under one deadline.

Written with callbacks and not as a coroutine: several sockets and two timers
work towards one result, and whatever comes first decides.

The first server is asked at once, the next after its usual round trip has
passed twice; where there is only one, it is asked again, because a lost datagram
is no failure. A truncated answer is fetched by TCP, and so is everything once
somebody seems to guess answers. An answer that settles nothing (SERVFAIL,
REFUSED, ...) lets the others speak first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filterd.errors import UpstreamError, UpstreamTimeoutError, UpstreamUnreachableError
from filterd.upstream.tcp import ask_by_tcp
from filterd.upstream.udp import UdpAttempt
from filterd.wire import ParsedResponse, Rcode

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from filterd.clock import Clock
    from filterd.upstream.group import ServerGroup, ServerHealth
    from filterd.upstream.question import UpstreamQuestion

DEADLINE_S = 4.0
CONCLUSIVE = frozenset((Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN))
"""The response codes that say something of the name and not of the server."""

_MISMATCHES_UNTIL_TCP = 10
_SECOND_TRY_S = 1.2
"""When the only server is asked again; long enough not to double a slow one's load."""

Outcome = ParsedResponse | UpstreamError


class Exchange:
    """An exchange in progress; calls ``done`` exactly once unless closed before.

    A server is in one of four places: ``_to_ask``, ``_waiting`` (by UDP),
    ``_fetching`` (by TCP), or it has spoken. When the first three are empty
    there is nothing left to wait for.
    """

    def __init__(
        self,
        group: ServerGroup,
        question: UpstreamQuestion,
        clock: Clock,
        counters: Counter[str],
        done: Callable[[Outcome], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._question, self._clock, self._counters, self._done = question, clock, counters, done
        self._to_ask = group.in_order(clock.monotonic())
        self._ask_again = len(self._to_ask) == 1
        self._asked: list[ServerHealth] = []
        self._waiting: dict[ServerHealth, list[UdpAttempt]] = {}
        self._fetching: dict[ServerHealth, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._mismatches = 0
        self._last_resort: Outcome | None = None
        self._finished = False

    def start(self) -> None:
        """Ask the first server."""
        self._after("deadline", DEADLINE_S, self._deadline)
        self._ask_next()

    def close(self) -> None:
        """Give up without a result; frees every socket and timer. May be called twice."""
        self._finished = True
        for timer in self._timers.values():
            timer.cancel()
        for member in list(self._waiting):
            self._stop_waiting(member)
        for task in self._fetching.values():
            task.cancel()

    def _finish(self, outcome: Outcome) -> None:
        if not self._finished:
            self.close()
            self._done(outcome)

    def _after(self, what: str, delay_s: float, call: Callable[[], None]) -> None:
        """Call later; one timer of a kind at a time."""
        if what in self._timers:
            self._timers[what].cancel()
        self._timers[what] = self._loop.call_later(delay_s, call)

    # Whom to ask, and when the next.

    def _ask_next(self) -> None:
        """Ask the next server that can be reached; with nothing left to wait for, settle."""
        while self._to_ask and not self._finished:
            member = self._to_ask.pop(0)
            if self._ask(member):
                self._asked.append(member)
                self._plan_next(member)
                return
        if not self._waiting and not self._fetching:
            self._finish(self._last_resort or UpstreamUnreachableError("no upstream is configured"))

    def _plan_next(self, member: ServerHealth) -> None:
        if self._to_ask:
            self._after("next", member.hedge_after_s, self._ask_next)
        elif self._ask_again:
            self._after("next", _SECOND_TRY_S, lambda: self._again(member))

    def _again(self, member: ServerHealth) -> None:
        if member in self._waiting:
            self._ask(member)

    def _ask(self, member: ServerHealth) -> bool:
        """Ask by what is safe now; tell whether the question is on its way."""
        if self._mismatches >= _MISMATCHES_UNTIL_TCP:
            self._fetch_by_tcp(member)
            return True
        try:
            self._send(member, edns=member.edns)
        except UpstreamUnreachableError as error:
            self._counters["unreachable"] += 1
            self._keep(error)
            return False
        return True

    def _send(self, member: ServerHealth, *, edns: bool) -> None:
        sent_at = self._clock.monotonic()
        attempt = UdpAttempt(
            member.server,
            self._question,
            edns=edns,
            answered=lambda response: self._answered(member, response, sent_at, edns=edns),
            mismatched=self._mismatched,
            refused=self._refused,
        )
        self._counters["sent"] += 1
        self._waiting.setdefault(member, []).append(attempt)

    def _stop_waiting(self, member: ServerHealth) -> None:
        for attempt in self._waiting.pop(member, ()):
            attempt.close()

    # What comes back.

    def _answered(
        self, member: ServerHealth, response: ParsedResponse, sent_at: float, *, edns: bool
    ) -> None:
        self._stop_waiting(member)
        member.answered(self._clock.monotonic() - sent_at)
        does_not_understand = response.rcode in (Rcode.FORMERR, Rcode.NOTIMP)
        if edns and does_not_understand:
            self._ask_without_edns(member)
            return
        if not edns and not does_not_understand:
            member.edns = False
        if response.header.tc:
            self._fetch_by_tcp(member)
        else:
            self._judge(member, response)

    def _ask_without_edns(self, member: ServerHealth) -> None:
        """Ask once more; only an answer proves that EDNS and not the question was at fault.

        One client's odd question must not take DNSSEC away from everybody.
        """
        try:
            self._send(member, edns=False)
        except UpstreamUnreachableError as error:
            self._keep(error)
            self._ask_next()

    def _judge(self, member: ServerHealth, response: ParsedResponse) -> None:
        if response.rcode in CONCLUSIVE:
            self._note_overtaken(member)
            self._finish(response)
        else:
            self._keep(response)
            self._ask_next()

    def _note_overtaken(self, winner: ServerHealth) -> None:
        """Who was asked earlier and is silent still has failed, though nobody waited for it.

        Without this a dead server would be asked first, and waited for, every time.
        """
        for member in self._asked[: self._asked.index(winner)]:
            if member in self._waiting:
                member.failed(self._clock.monotonic())

    def _keep(self, outcome: Outcome) -> None:
        """Keep what to give if nothing better comes: a server's word rather than none."""
        if not isinstance(self._last_resort, ParsedResponse):
            self._last_resort = outcome

    def _mismatched(self) -> None:
        """Count a message that answers nothing; many of them mean that somebody guesses."""
        self._counters["mismatched"] += 1
        self._mismatches += 1
        if self._mismatches == _MISMATCHES_UNTIL_TCP:
            for member in list(self._waiting):
                self._stop_waiting(member)
                self._fetch_by_tcp(member)

    def _refused(self) -> None:
        """An ICMP error ends nothing, but another server can be asked now."""
        self._counters["icmp"] += 1
        if self._to_ask:
            self._ask_next()

    def _fetch_by_tcp(self, member: ServerHealth) -> None:
        self._counters["tcp"] += 1
        self._fetching[member] = self._loop.create_task(self._fetch(member))

    async def _fetch(self, member: ServerHealth) -> None:
        try:
            response = await ask_by_tcp(member.server, self._question, edns=member.edns)
        except UpstreamError as error:
            del self._fetching[member]
            self._keep(error)
            self._ask_next()
        else:
            del self._fetching[member]
            self._judge(member, response)

    def _deadline(self) -> None:
        for member in self._waiting:
            member.failed(self._clock.monotonic())
        if not isinstance(self._last_resort, ParsedResponse):
            self._last_resort = UpstreamTimeoutError("no upstream answered in time")
        self._finish(self._last_resort)
