# SPDX-License-Identifier: Apache-2.0
"""An exchange: one question put to a group of servers under one deadline.

Written with callbacks and not as a coroutine: several sockets and a timer work
towards one result, and whatever comes first decides.

The first server is asked at once, the next after its usual round trip has
passed twice; where all are silent, the first is asked again, because a lost
datagram is no failure. A truncated answer is fetched by TCP, and so is everything once
mismatches suggest a forger. An inconclusive answer (SERVFAIL, REFUSED, ...) waits for
the answers of the others, and so does one that cannot be used: its records do not
parse, or its aliases lead in a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from filterd.base.errors import (
    UpstreamError,
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from filterd.policy.model import UpstreamServer
from filterd.upstream.resolution import Resolution
from filterd.upstream.stream_queries import StreamQueries, StreamQuery
from filterd.wire import ParsedResponse, Rcode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.upstream.server_group import ServerHealth
    from filterd.upstream.socket_pool import Bucket, UdpAttempt
    from filterd.upstream.transport_set import Transports
    from filterd.upstream.upstream_question import UpstreamQuestion

DEADLINE_S = 3.8
"""A little less than the four seconds after which a client must have an answer."""

CONCLUSIVE = frozenset((Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN))
"""The response codes that are about the name and not about the server."""

SECOND_TRY_S = 1.2
"""When all are silent the first is asked again: late enough not to double the load of slow
ones, early enough after a path was gone for a second (a repeated question joins this exchange)."""

_MISMATCHES_UNTIL_TCP = 10
_NO_EDNS = frozenset((Rcode.FORMERR, Rcode.NOTIMP))


Outcome = Resolution | UpstreamError
Read = Callable[[ParsedResponse, UpstreamServer], Outcome]
"""Extracts from a response what may be kept, or the error if it cannot be used.
The server is as it was asked, without TLS if so.
"""


_NOWHERE: Bucket = {}


def _nobody(_: Outcome) -> None:
    """Ignore an outcome that no caller waits for any more."""


def _unread(_: ParsedResponse, __: UpstreamServer) -> Outcome:
    """Ignore a response after the exchange is over."""
    return UpstreamMalformedError("no question waits for it")


class Exchange:
    """An exchange in progress; calls ``done`` exactly once unless closed first.

    A server is yet to be asked (``_to_ask``), waited for by UDP (``_attempts``)
    or by TCP or TLS (``_fetches``), or it has answered. When the first three are
    empty there is nothing left to wait for.
    """

    __slots__ = (
        "_asked",
        "_attempts",
        "_began",
        "_done",
        "_edns_refused",
        "_fetches",
        "_finished",
        "_last_resort",
        "_mismatches",
        "_next_at",
        "_question",
        "_read",
        "_to_ask",
        "_tried_again",
        "_use",
        "_waits_in",
    )

    def __init__(
        self,
        transports: Transports,
        order: Iterable[ServerHealth],
        question: UpstreamQuestion,
        read: Read,
        done: Callable[[Outcome], None],
    ) -> None:
        """Prepare an exchange.

        Args:
            transports: sockets, timers and connections.
            order: the servers, in the order of asking.
            question: what to ask.
            read: reads each response.
            done: called with the outcome.
        """
        self._use, self._question, self._read, self._done = transports, question, read, done
        self._to_ask = list(order)
        self._asked: list[tuple[ServerHealth, float]] = []
        self._attempts: list[UdpAttempt] = []
        self._fetches: StreamQueries | None = None
        self._edns_refused: tuple[ServerHealth, ...] = ()
        self._mismatches = 0
        self._last_resort: Outcome | None = None
        self._finished = self._tried_again = False
        self._began = self._next_at = transports.wheel.now()
        self._waits_in: Bucket = _NOWHERE

    def start(self, now: float) -> None:
        """Ask the first server. ``now`` is the clock's monotonic time."""
        self._ask_next(now)

    def go_on(self, attempt: UdpAttempt, began: float, next_at: float) -> None:
        """Take over an exchange after its first server was asked, without an answer yet.

        Args:
            attempt: how it was asked; its events come here from now on.
            began: the wheel's time at which that was.
            next_at: when to ask the next server, if there is one.
        """
        self._asked.append((self._to_ask.pop(0), attempt.sent_at))
        self._attempts.append(attempt)
        attempt.waiter = self
        self._began, self._next_at = began, next_at
        self._wait()

    def close(self) -> None:
        """Give up without a result; free all resources. May be called twice."""
        self._finished = True
        self._waits_in.pop(self, None)
        if self._attempts:
            for attempt in self._attempts:
                attempt.close()
            self._attempts.clear()
        if self._fetches is not None:
            self._fetches.cancel()
        # Else waiter and exchange refer to each other, and only the collector frees them.
        self._done, self._read = _nobody, _unread

    def _finish(self, outcome: Outcome) -> None:
        if not self._finished:
            done = self._done
            self.close()
            done(outcome)

    # Timing: when to ask the next server.

    def due(self) -> None:
        """Act on the timer."""
        if self._finished:
            return
        now = self._use.clock.monotonic()
        if self._use.wheel.now() >= self._began + DEADLINE_S:
            self._time_is_over(now)
        elif self._to_ask:
            self._ask_next(now)
        else:
            self._tried_again = True
            self._try_again(now)
            self._wait()

    def _wait(self) -> None:
        """Set the timer for the first of: the next server, a second try, the deadline."""
        if self._finished:
            return
        end = self._began + DEADLINE_S
        if self._to_ask:
            at = self._next_at
        else:
            at = end if self._tried_again else self._began + SECOND_TRY_S
        self._waits_in.pop(self, None)
        at = at if at < end else end  # noqa: FURB136 -- ``min`` costs a call
        self._waits_in = self._use.wheel.put(self, at)

    def _time_is_over(self, now: float) -> None:
        silent = self._silent()
        for member, asked_at in self._asked:
            if member in silent:
                member.failed(asked_at, now)
        for attempt in self._attempts:
            attempt.fail()
        if self._last_resort is None or isinstance(self._last_resort, UpstreamError):
            self._last_resort = UpstreamTimeoutError("no upstream answered in time")
        self._finish(self._last_resort)

    def _silent(self) -> set[ServerHealth]:
        """Return the servers that have not answered yet."""
        silent = {attempt.member for attempt in self._attempts}
        if self._fetches is not None:
            silent.update(self._fetches.members)
        return silent

    # Asking: which server, and how.

    def _ask_next(self, now: float) -> None:
        """Ask the next reachable server; with nothing left to wait for, settle."""
        while self._to_ask and not self._finished:
            member = self._to_ask.pop(0)
            if self._ask(member, now):
                self._asked.append((member, now))
                if self._to_ask:
                    self._next_at = self._use.wheel.now() + member.hedge_after_s
                break
        if not self._attempts and not self._fetches:
            self._finish(self._last_resort or UpstreamUnreachableError("no upstream is configured"))
        self._wait()

    def _try_again(self, now: float) -> None:
        """Ask the first server again; ask in clear each that has not answered by TLS."""
        for member in list(self._fetches.members) if self._fetches is not None else ():
            if member.may_go_in_clear and member.goes_by_tls(now):
                member.had_no_tls(now)
                self._ask_in_clear(member, now)
        if self._attempts:
            self._ask_in_clear(self._attempts[0].member, now)

    def _ask(self, member: ServerHealth, now: float) -> bool:
        """Ask a server in the way that suits it; return whether the query was sent."""
        if member.goes_by_tls(now):
            self._fetching().by_tls(member, self, edns=self._with_edns(member, now))
            return True
        return self._ask_in_clear(member, now)

    def _ask_in_clear(self, member: ServerHealth, now: float) -> bool:
        """Ask without TLS, in a way that is safe now; return whether the query was sent."""
        assert member.may_go_in_clear
        if self._mismatches >= _MISMATCHES_UNTIL_TCP:
            self._fetch_by_tcp(member, now)
            return True
        edns, exact = self._with_edns(member, now), member.keeps_case(now)
        try:
            attempt = self._use.pool.ask(self, member, self._question, now, edns=edns, exact=exact)
        except UpstreamUnreachableError as error:
            self._use.counters["unreachable"] += 1
            self._keep(error)
            return False
        self._use.counters["sent"] += 1
        self._attempts.append(attempt)
        return True

    def _with_edns(self, member: ServerHealth, now: float) -> bool:
        return member not in self._edns_refused and member.understands_edns(now)

    def _fetch_by_tcp(self, member: ServerHealth, now: float) -> None:
        self._fetching().by_tcp(member, self, edns=self._with_edns(member, now))

    def _fetching(self) -> StreamQueries:
        """Return the queries by connections, which most exchanges do without."""
        if self._fetches is None:
            self._fetches = StreamQueries(self._use, self._question)
        return self._fetches

    # Events of UDP.

    def answered(self, attempt: UdpAttempt, response: ParsedResponse) -> None:
        """Take a response from a server; UDP waits for it no more."""
        member, now = attempt.member, self._use.clock.monotonic()
        member.answered(now - attempt.sent_at, now)
        if attempt.exact:
            member.kept_case()
        if len(self._attempts) == 1:
            self._attempts.clear()  # it was the only one
        else:
            self._stop_waiting(member)
        if response.header.tc:
            self._fetch_by_tcp(member, now)
        else:
            self._weigh(member, member.plain, response, now, edns=attempt.edns)

    def mismatched(self) -> None:
        """Count a message that answers nothing; many of them suggest a forger."""
        self._mismatches += 1
        if self._mismatches == _MISMATCHES_UNTIL_TCP:
            now = self._use.clock.monotonic()
            for member in dict.fromkeys(attempt.member for attempt in self._attempts):
                self._stop_waiting(member)
                self._fetch_by_tcp(member, now)

    def mismatched_in_case(self, attempt: UdpAttempt) -> None:
        """Ask again: the server does not keep letter case, or a forger guesses well.

        The right answer is still waited for. After a few of these a server that never keeps
        the case is asked in plain lower case.
        """
        now = self._use.clock.monotonic()
        attempt.member.mismatched_in_case(now)
        self._ask_in_clear(attempt.member, now)

    def refused(self) -> None:
        """Ask another server after an ICMP error, which ends nothing."""
        if self._to_ask:
            self._ask_next(self._use.clock.monotonic())

    def _stop_waiting(self, member: ServerHealth) -> None:
        for attempt in self._attempts:
            if attempt.member is member:
                attempt.close()
        self._attempts = [one for one in self._attempts if one.member is not member]

    # Events of TCP and TLS.

    def fetched(self, fetch: StreamQuery, response: ParsedResponse) -> None:
        """Take a response that came by a connection."""
        now = self._use.clock.monotonic()
        fetch.member.answered(now - fetch.asked_at, now)
        self._weigh(fetch.member, fetch.server, response, now, edns=fetch.edns)

    def not_fetched(self, fetch: StreamQuery, error: UpstreamError) -> None:
        """Go on without a response: in clear where allowed, else with the next server."""
        self._keep(error)
        now = self._use.clock.monotonic()
        overloaded = isinstance(error, UpstreamOverloadError)  # proves nothing about the server
        if fetch.by_tls and fetch.member.may_go_in_clear:
            if not overloaded:
                fetch.member.had_no_tls(now)
            if self._ask_in_clear(fetch.member, now):
                return
        if not overloaded:
            fetch.member.failed(fetch.asked_at, now)
        self._ask_next(now)

    # The value of an answer.

    def _weigh(
        self,
        member: ServerHealth,
        server: UpstreamServer,
        response: ParsedResponse,
        now: float,
        *,
        edns: bool,
    ) -> None:
        rcode = response.rcode
        if rcode in _NO_EDNS:
            if edns:
                self._edns_refused += (member,)
                if not self._ask(member, now):
                    self._ask_next(now)
                return
        elif member in self._edns_refused:
            # Only now: a question that it cannot read at all proves nothing about EDNS.
            member.refused_edns(now)
        found = self._made_of(response, server)
        if rcode in CONCLUSIVE and not isinstance(found, UpstreamError):
            if len(self._asked) > 1:
                self._note_overtaken(member, now)
            self._finish(found)
        else:
            self._keep(found)
            self._ask_next(now)

    def _made_of(self, response: ParsedResponse, server: UpstreamServer) -> Outcome:
        try:
            return self._read(response, server)
        except BaseException:  # whatever is wrong in here, no waiter may wait for ever
            self._finish(UpstreamMalformedError("nothing could be made of it"))
            raise

    def _note_overtaken(self, winner: ServerHealth, now: float) -> None:
        """Note a failure of servers that were asked earlier and are silent still.

        Without this a dead server would be asked first, and waited for, every time.
        """
        silent = self._silent()
        for member, asked_at in self._asked:
            if member is winner:
                return
            if member in silent:
                member.failed(asked_at, now)

    def _keep(self, outcome: Outcome) -> None:
        """Keep the best outcome so far: an answer of a server rather than none."""
        if self._last_resort is None or isinstance(self._last_resort, UpstreamError):
            self._last_resort = outcome
