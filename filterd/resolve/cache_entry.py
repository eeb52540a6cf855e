# SPDX-License-Identifier: Apache-2.0
"""Cache entries: resolutions with the times they live, and failures (RFC 9520).

A failing name is not asked for endlessly: a first failure holds for 5 s, each further one
twice as long, up to a minute. While a whole route is silent every name fails, and a school
must not wait out those failures once the Internet is back. So a failure from a time in
which its route answered nothing at all ends with the route's next answer, but only once: a
name that fails again is dead by itself.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filterd.upstream import Resolution, Route, UpstreamQuestion
    from filterd.wire import Ede

REFRESHED_FROM_HITS = 3
"""Hits, the current question included, from which a name is worth refreshing."""
REFRESHED_FROM_TTL_S = 10
"""Below this TTL the last tenth is too short for a round trip to matter."""
REFRESHED_IN_LAST = 0.1

FIRST_HOLD_S = 5.0
LONGEST_HOLD_S = 60.0

SILENT_FROM = 3
"""Failures in a row, with no answer between, that make a route count as silent."""

_OF_THE_NAME = frozenset((1, 2, *range(5, 13), 25, 27))
"""Extended errors of validation: a server that sends them is not silent, the name is at fault."""

_MOST_EDES = 4
"""Of the extended errors of an upstream; more are of no use."""
_MOST_ROUTES = 64
"""Routes in use are few; this bounds those that reloads leave behind."""

_FAILURE_OCTETS = 1_200
"""The memory of a failure beside its errors: question, object and dictionary slots."""
_EDE_OCTETS = 200
"""The memory of an extended error beside its text, of four octets a character at most."""

_NEVER = float("-inf")


@dataclass(slots=True)
class CacheEntry:
    """One entry; its times are monotonic.

    Attributes:
        resolution: what was stored.
        stored_at: when that was.
        gone_at: the time until which it may be served although it has expired.
        hits: how often it was asked for since.
        refreshed: whether a refresh has been started ahead of expiry.
    """

    resolution: Resolution
    stored_at: float
    gone_at: float
    hits: int = 0
    refreshed: bool = False

    @property
    def expires_at(self) -> float:
        """The time until which it is valid."""
        return self.stored_at + self.resolution.ttl_s

    @property
    def refresh_at(self) -> float:
        """The time from which a popular entry is refreshed.

        Infinite where that makes no sense or has been started.
        """
        ttl_s = self.expires_at - self.stored_at
        if self.refreshed or ttl_s < REFRESHED_FROM_TTL_S:
            return inf
        return self.expires_at - ttl_s * REFRESHED_IN_LAST


@dataclass(slots=True)
class Failure:
    """One failure: why, when (monotonic), and for how long it holds.

    ``silent``: its route answered nothing meanwhile, so an answer of the route ends it.
    ``excused``: that has happened, to this failure or to one before it.
    """

    edes: tuple[Ede, ...]
    failed_at: float
    hold_s: float
    silent: bool
    excused: bool = False

    @property
    def octets(self) -> int:
        """The memory it takes; a test measures that it is no less."""
        return _FAILURE_OCTETS + edes_octets(self.edes)


@dataclass(slots=True)
class _Hearing:
    """The state of a route: its last answer, and the failures since."""

    answered_at: float = _NEVER
    failures: int = 0


class Failures:
    """Failures within a bound of octets; the oldest is removed first.

    ``by_question`` may be read: whether a failure is remembered, not whether it holds.
    """

    def __init__(self, size_octets: int) -> None:
        self.size_octets = size_octets
        self.used_octets = 0
        self.by_question: OrderedDict[UpstreamQuestion, Failure] = OrderedDict()
        self._routes: dict[Route, _Hearing] = {}

    def __len__(self) -> int:
        return len(self.by_question)

    def holding(
        self, question: UpstreamQuestion, now: float, at_least_s: float = 0.0
    ) -> Failure | None:
        """Return the failure that forbids to ask ``question`` now, None if none does.

        Args:
            question: what would be asked.
            now: monotonic time.
            at_least_s: how long any failure holds where an expired answer can be served.
        """
        failure = self.by_question.get(question)
        if failure is None or now >= failure.failed_at + max(failure.hold_s, at_least_s):
            return None
        if failure.silent and self._hearing(question.route).answered_at > failure.failed_at:
            failure.excused = True
            return None
        return failure

    def remember(
        self, question: UpstreamQuestion, edes: tuple[Ede, ...], began_at: float, now: float
    ) -> None:
        """Remember that asking failed between ``began_at`` and ``now``.

        All waiters of one exchange report the same failure; it counts once.
        """
        last = self.by_question.get(question)
        if last is not None and last.failed_at >= began_at:
            return
        hearing = self._hearing(question.route)
        if not any(ede.code in _OF_THE_NAME for ede in edes):
            hearing.failures += 1
        silent = hearing.answered_at < began_at
        failure = Failure(edes[:_MOST_EDES], now, FIRST_HOLD_S, silent)
        if last is not None and now <= last.failed_at + last.hold_s + LONGEST_HOLD_S:
            failure.hold_s = min(2 * last.hold_s, LONGEST_HOLD_S)
            failure.excused = last.excused
            failure.silent = silent and not last.excused
        self._remove(question)
        self.by_question[question] = failure
        self.used_octets += failure.octets
        self.make_room()

    def forget(self, question: UpstreamQuestion, now: float) -> None:
        """Forget the failure of a question: an upstream has answered."""
        if self.by_question:
            self._remove(question)
        route = question.route
        hearing = self._routes.get(route) or self._hearing(route)  # mostly without that call
        hearing.answered_at, hearing.failures = now, 0

    def is_silent(self, route: Route) -> bool:
        """Return whether a route has had nothing but failures lately."""
        return self._hearing(route).failures >= SILENT_FROM

    def make_room(self) -> None:
        """Remove the oldest until the bound holds."""
        while self.used_octets > self.size_octets:
            self._remove(next(iter(self.by_question)))

    def _hearing(self, route: Route) -> _Hearing:
        hearing = self._routes.get(route)
        if hearing is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            hearing = self._routes[route] = _Hearing()
        return hearing

    def _remove(self, question: UpstreamQuestion) -> None:
        failure = self.by_question.pop(question, None)
        if failure is not None:
            self.used_octets -= failure.octets


def edes_octets(edes: tuple[Ede, ...]) -> int:
    """Return the memory that extended errors take, at most."""
    return sum(_EDE_OCTETS + 4 * len(ede.text) for ede in edes)
