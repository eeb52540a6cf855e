# SPDX-License-Identifier: Apache-2.0
"""Clock bootstrap of a machine without a clock battery (reliability.md G1).

Such a machine starts in 1970. It must look up a time server to set its clock, and no
query by strict TLS works while no certificate seems valid yet. So while the clock is
before the earliest possible time, and only for the names of time servers, the
upstreams are asked in clear. Policy holds for these names as for any other, and an
answer in clear is not used once the clock is known: it belongs to another route,
and a route is part of every cache key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.policy.model import Tls
from filterd.upstream import Route, in_clear
from filterd.upstream.resolv_conf import is_own
from filterd.version import RELEASED_AT
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.policy.model import Policy, UpstreamServer

TIME = "time"
"""The reason of the pins that are time servers (blocklists/pins.yaml)."""

_BELIEVED_FOR_S = 10 * 366 * 86_400
"""An index with a build time later than this after the release had a wrong clock."""


class UnsetClock:
    """Detection of a wrong clock, and the route for time servers until it is set.

    Args:
        policy: for its pins.
        built_at: the Unix time at which the lists on this disk were compiled,
            as the index says; any other value is ignored.
        upstreams: the servers of the site.
    """

    def __init__(
        self, policy: Policy, built_at: Any, upstreams: tuple[UpstreamServer, ...]
    ) -> None:
        self.floor = max(RELEASED_AT, _plausible(built_at))
        pins = [pin for pin in policy.pins if pin.reason == TIME]
        self._names = frozenset(pin.name for pin in pins)
        self._subtrees = frozenset(pin.name for pin in pins if pin.subtree)
        self.route = _route(policy, upstreams)
        """The route then; None where it would be the same as always."""

    def route_of(self, qname: bytes, now: float) -> Route | None:
        """Return the route for a time server while the clock is unknown; else None."""
        if now >= self.floor:
            return None
        return self.route if self._is_time_server(qname) else None

    def _is_time_server(self, qname: bytes) -> bool:
        if qname in self._names:
            return True
        return any(suffix in self._subtrees for suffix in names.suffixes(qname))


def _plausible(built_at: Any) -> float:
    if isinstance(built_at, int | float) and 0 <= built_at - RELEASED_AT < _BELIEVED_FOR_S:
        return float(built_at)
    return 0.0


def _route(policy: Policy, upstreams: tuple[UpstreamServer, ...]) -> Route | None:
    """Return the route in clear; None where no server must prove its name."""
    if all(server.tls != Tls.STRICT for server in upstreams):
        return None
    servers = (in_clear(one) if one.tls == Tls.STRICT else one for one in upstreams)
    return Route(tuple(dict.fromkeys(one for one in servers if not is_own(one, policy.listen))))
