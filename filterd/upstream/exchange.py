# SPDX-License-Identifier: Apache-2.0
"""One question put to a group of servers under one deadline.

Written with callbacks and not as a coroutine: several sockets and two timers
work towards one result, and whatever comes first decides.

The first server is asked at once, the next after its usual round trip has
passed twice, and at most as many attempts are made as there are servers (two at
least, so a lost datagram is no failure). A truncated answer is fetched again by
TCP. An answer of SERVFAIL or REFUSED lets the others speak first.
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
_MISMATCHES_UNTIL_TCP = 10
_SECOND_TRY_S = 1.2
"""When the only server is asked again; long enough not to double a slow one's load."""

Outcome = ParsedResponse | UpstreamError


class Exchange:
    """An exchange in progress; calls ``done`` exactly once unless closed before."""

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
        members = group.in_order(clock.monotonic())
        self._to_ask = members if len(members) != 1 else members * 2
        self._open: list[UdpAttempt] = []
        self._waiting_for: dict[ServerHealth, float] = {}
        self._fetching: set[asyncio.Task[None]] = set()
        self._timers: list[asyncio.TimerHandle] = []
        self._mismatches = 0
        self._worst: Outcome = UpstreamUnreachableError("no upstream is configured")
        self._finished = False

    def start(self) -> None:
        """Ask the first server."""
        self._timers.append(self._loop.call_later(DEADLINE_S, self._deadline))
        self._ask_next()

    def close(self) -> None:
        """Give up without a result; frees every socket and timer."""
        self._finished = True
        for timer in self._timers:
            timer.cancel()
        for attempt in self._open:
            attempt.close()
        for task in self._fetching:
            task.cancel()

    def _finish(self, outcome: Outcome) -> None:
        if not self._finished:
            self.close()
            self._done(outcome)

    def _ask_next(self) -> None:
        """Ask the next server that can be reached; with none left, settle for the worst."""
        while self._to_ask and not self._finished:
            member = self._to_ask.pop(0)
            try:
                self._ask(member, edns=member.edns)
            except UpstreamUnreachableError as error:
                self._counters["unreachable"] += 1
                self._worst = error
                continue
            if self._to_ask:
                only_one = self._to_ask[0] is member
                delay = _SECOND_TRY_S if only_one else member.hedge_after_s
                self._timers.append(self._loop.call_later(delay, self._ask_next))
            return
        if not self._waiting_for and not self._fetching:
            self._finish(self._worst)

    def _ask(self, member: ServerHealth, *, edns: bool) -> None:
        attempt = UdpAttempt(
            member.server,
            self._question,
            edns=edns,
            answered=lambda response: self._answered(member, response, edns=edns),
            mismatched=lambda: self._mismatched(member),
            refused=self._refused,
        )
        self._counters["sent"] += 1
        self._open.append(attempt)
        self._waiting_for[member] = self._clock.monotonic()

    def _answered(self, member: ServerHealth, response: ParsedResponse, *, edns: bool) -> None:
        asked_at = self._waiting_for.pop(member, None)
        if asked_at is not None:
            member.answered(self._clock.monotonic() - asked_at)
        if edns and response.rcode in (Rcode.FORMERR, Rcode.NOTIMP):
            member.edns = False
            self._ask(member, edns=False)
        elif response.header.tc:
            self._fetch_by_tcp(member)
        elif response.rcode in (Rcode.SERVFAIL, Rcode.REFUSED):
            self._worst = response
            self._ask_next()
        else:
            self._finish(response)

    def _mismatched(self, member: ServerHealth) -> None:
        """Count a message that answers nothing; many of them mean that somebody guesses."""
        self._counters["mismatched"] += 1
        self._mismatches += 1
        if self._mismatches == _MISMATCHES_UNTIL_TCP:
            for attempt in self._open:
                attempt.close()
            self._waiting_for.clear()
            self._fetch_by_tcp(member)

    def _refused(self) -> None:
        """An ICMP error ends nothing, but another server can be asked now."""
        self._counters["icmp"] += 1
        if self._to_ask and self._to_ask[0] not in self._waiting_for:
            self._ask_next()

    def _fetch_by_tcp(self, member: ServerHealth) -> None:
        self._counters["tcp"] += 1
        task = self._loop.create_task(self._fetch(member))
        self._fetching.add(task)

    async def _fetch(self, member: ServerHealth) -> None:
        task = asyncio.current_task()
        try:
            outcome: Outcome = await ask_by_tcp(member.server, self._question, edns=member.edns)
        except UpstreamError as error:
            outcome = error
        if task is not None:
            self._fetching.discard(task)
        if isinstance(outcome, UpstreamError):
            self._worst = outcome
            self._ask_next()
        else:
            self._finish(outcome)

    def _deadline(self) -> None:
        for member in self._waiting_for:
            member.failed(self._clock.monotonic())
        if isinstance(self._worst, UpstreamUnreachableError) and self._waiting_for:
            self._worst = UpstreamTimeoutError("no upstream answered in time")
        self._finish(self._worst)
