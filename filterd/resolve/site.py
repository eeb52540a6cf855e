# SPDX-License-Identifier: Apache-2.0
"""Everything that a reload replaces, in one immutable bundle.

A query reads ``Sites.current`` once and carries it. A reload makes a new
bundle beside the old one and then moves one reference, so no query ever sees
half of each, and none waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from filterd.identity import Identifier, Surroundings
from filterd.policy.engine import Engine
from filterd.resolve import lease_zone
from filterd.resolve.endings import Endings
from filterd.resolve.reading import Reading
from filterd.resolve.special_use import FIRST_LABELS, SUBTREES
from filterd.resolve.unset_clock import UnsetClock
from filterd.resolve.zones import Zones
from filterd.upstream import Route
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.policy.model import Policy, UpstreamServer


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One policy and one index, and what follows from them.

    ``route`` leads to the upstreams by address: what the policy calls ``system``
    has been looked up. ``surroundings`` outlives any one site: it is what the
    network shows of the devices. ``existing`` are names above others, so that
    none may be denied: top-level domains, and the ancestors of the site's zones.
    ``own`` are the names at or beneath which somebody but the Internet knows something.
    ``unset_clock`` knows who is asked about time servers before the clock is set.
    ``reading`` is what the fast path goes by.
    """

    policy: Policy
    index: Index
    route: Route
    surroundings: Surroundings
    engine: Engine
    identifier: Identifier
    zones: Zones
    existing: frozenset[bytes]
    own: Endings
    unset_clock: UnsetClock
    reading: Reading

    @classmethod
    def of(
        cls,
        policy: Policy,
        index: Index,
        upstreams: tuple[UpstreamServer, ...],
        surroundings: Surroundings | None = None,
    ) -> Site:
        """Join a policy, an index, the addresses to ask and what is known of the network."""
        zones = Zones(policy)
        surroundings = surroundings or Surroundings()
        return cls(
            policy,
            index,
            Route(upstreams),
            surroundings,
            Engine(policy, index),
            Identifier(policy, surroundings),
            zones,
            zones.ancestors.union(policy.top_level, _above(policy.lease_zone)),
            Endings((*zones.names, *lease_zone.names_of(policy), *SUBTREES)),
            UnsetClock(policy, index.build.get("when"), upstreams),
            Reading.of(policy, index),
        )

    def may_know(self, qname: bytes) -> bool:
        """Tell at a look whether a name may be the site's own, or special; errs towards yes."""
        first = qname[0]
        return (
            self.own.may_cover(qname)
            or qname[1 : first + 1] in FIRST_LABELS
            or len(qname) <= first + 2  # the root or a single label
        )

    def route_of(self, qname: bytes, now: float) -> Route:
        """Return whom to ask about a name; ``now`` is Unix time as the machine has it."""
        return self.zones.route_of(qname) or self.unset_clock.route_of(qname, now) or self.route


def _above(zone: bytes | None) -> list[bytes]:
    return list(names.suffixes(zone))[1:] if zone else []


class Sites(Protocol):
    """Says which site is in force."""

    @property
    def current(self) -> Site:
        """The site in force now."""


class SiteHolder:
    """The one mutable reference, where nobody else has a say."""

    def __init__(self, site: Site) -> None:
        self.current = site
