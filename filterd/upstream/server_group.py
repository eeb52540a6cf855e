# SPDX-License-Identifier: Apache-2.0
"""Server groups: servers for the same names, and the health of each."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from filterd.base.time_buckets import TimeBuckets
from filterd.policy.model import Tls
from filterd.upstream.upstream_question import in_clear

if TYPE_CHECKING:
    from filterd.policy.model import UpstreamServer
    from filterd.upstream.upstream_question import Route

_logger = logging.getLogger("filterd.upstream")

MOST_GROUPS = 256
"""Routes remembered: reloads make new ones, and unused ones are forgotten at last."""
_FAILURES_UNTIL_DOWN = 3
_DOWN_S = 10.0
SMOOTHING = 0.2
FIRST_HEDGE_S = 0.150
LAST_HEDGE_S = 2.0
"""However slow a server is, the next must still have time to answer."""
_CASE_MISMATCHES = 3
_FORGET_S = 900.0
"""How long a server's missing ability is remembered: it may be repaired or replaced."""
_NO_TLS_S = 60.0
"""How long a server is asked in clear where TLS could not be had."""


@dataclass(slots=True, eq=False)
class ServerHealth:
    """The health of one server.

    ``plain`` is its address without TLS, ``may_go_in_clear`` whether that may be used.
    ``srtt_s`` is its smoothed round-trip time, ``times`` are those of all answers. The other
    times are the clock's monotonic ones.
    """

    server: UpstreamServer
    srtt_s: float = 0.0
    failures: int = 0
    down_until: float = 0.0
    plain: UpstreamServer = field(init=False)
    may_go_in_clear: bool = field(init=False)
    times: TimeBuckets = field(default_factory=TimeBuckets)
    _answered_at: float = 0.0
    _silent_since: float = 0.0
    _failed_at: float = 0.0
    _case_mismatches: int = 0
    _no_edns_until: float = 0.0
    _no_case_until: float = 0.0
    _no_tls_until: float = 0.0
    """Infinite where it has no TLS."""

    def __post_init__(self) -> None:
        self.plain = in_clear(self.server)
        self.may_go_in_clear = self.server.tls != Tls.STRICT
        if self.server.tls == Tls.NO:
            self._no_tls_until = inf

    def answered(self, took_s: float, now: float) -> None:
        """Note an answer."""
        self.srtt_s += (took_s - self.srtt_s) * (SMOOTHING if self.srtt_s else 1.0)
        self.times.add(took_s)
        self._answered_at = now
        if self.failures:
            self.recovered(now)

    def recovered(self, now: float) -> None:
        """Note the answer that ends a series of failures."""
        if self.down_since is not None:
            silent_s = round(now - self.down_since)
            _logger.info("upstream %s: it answers again, after %d s", self._place, silent_s)
        self.failures, self.down_until = 0, 0.0

    def failed(self, asked_at: float, now: float) -> None:
        """Note that no answer came in time.

        Questions that were in flight together are one failure, and none where
        another was answered meanwhile: then it is the name that is slow.
        """
        if asked_at < max(self._answered_at, self._failed_at):
            return
        if not self.failures:
            self._silent_since = asked_at
        self.failures, self._failed_at = self.failures + 1, now
        if self.failures >= _FAILURES_UNTIL_DOWN:
            self.down_until = now + _DOWN_S
        if self.failures == _FAILURES_UNTIL_DOWN:
            _logger.warning("upstream %s: it does not answer; check the line", self._place)

    def probes(self, now: float) -> None:
        """Note that one question tests whether it is up again; the others need not wait."""
        if self.failures >= _FAILURES_UNTIL_DOWN:
            self.down_until = now + _DOWN_S

    @property
    def down_since(self) -> float | None:
        """When the first question it left unanswered was asked; None while it answers."""
        return self._silent_since if self.failures >= _FAILURES_UNTIL_DOWN else None

    @property
    def _place(self) -> str:
        return f"{self.server.address} port {self.server.port}"

    @property
    def hedge_after_s(self) -> float:
        """Return how long to wait for it before another server is asked as well."""
        return min(max(FIRST_HEDGE_S, 2 * self.srtt_s), LAST_HEDGE_S)

    def understands_edns(self, now: float) -> bool:
        """Return whether it may be asked with an OPT record."""
        return now >= self._no_edns_until

    def refused_edns(self, now: float) -> None:
        """Note that it answered FORMERR or NOTIMP to EDNS, and well without."""
        self._no_edns_until = now + _FORGET_S

    def keeps_case(self, now: float) -> bool:
        """Return whether letter case may be made random (0x20)."""
        return self.plain.randomise_case and now >= self._no_case_until

    def kept_case(self) -> None:
        """Note an answer in exactly the case asked."""
        self._case_mismatches = 0

    def mismatched_in_case(self, now: float) -> None:
        """Note an answer that is right except for letter case."""
        self._case_mismatches += 1
        if self._case_mismatches >= _CASE_MISMATCHES:
            self._case_mismatches, self._no_case_until = 0, now + _FORGET_S

    def goes_by_tls(self, now: float) -> bool:
        """Return whether it is to be asked by TLS first."""
        return now >= self._no_tls_until

    def had_no_tls(self, now: float) -> None:
        """Note that TLS could not be had in time."""
        if self.server.tls == Tls.OPPORTUNISTIC:  # a strict one has no other way
            self._no_tls_until = now + _NO_TLS_S


class ServerGroup:
    """The servers in the operator's order."""

    def __init__(self, members: tuple[ServerHealth, ...]) -> None:
        self.members = members

    def in_order(self, now: float) -> list[ServerHealth]:
        """Return the servers in the order of asking, those that seem down last.

        Where one has been down for long enough, this question tests it again.
        """
        members = list(self.members)
        if len(members) > 1:
            members.sort(key=lambda member: member.down_until > now)
            members[0].probes(now)
        return members


class Groups:
    """Health of the servers of each route; ``by_route`` may be read."""

    def __init__(self) -> None:
        self.by_route: dict[Route, ServerGroup] = {}

    def of(self, route: Route) -> ServerGroup:
        """Return the group that is asked by a route."""
        group = self.by_route.get(route)
        if group is None:
            members = tuple(self._health(server) for server in route.servers)
            group = self.by_route[route] = ServerGroup(members)
            if len(self.by_route) > MOST_GROUPS:
                del self.by_route[next(iter(self.by_route))]
        return group

    def _health(self, server: UpstreamServer) -> ServerHealth:
        """Return the health of a server, shared by all routes to it."""
        for group in self.by_route.values():
            for member in group.members:
                if member.server == server:
                    return member
        return ServerHealth(server)
