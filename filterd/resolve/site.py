# SPDX-License-Identifier: Apache-2.0
"""The site: everything that a reload replaces, in one immutable bundle.

A query reads ``Sites.current`` once and carries it. A reload makes a new
bundle beside the old one and then moves one reference, so no query ever sees
half of each, and none waits.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from filterd.base.value_class import frozen
from filterd.clients.identifier import Identifier
from filterd.clients.network_view import Surroundings
from filterd.policy.confidential_names import ConfidentialNames
from filterd.policy.effective_policy import EffectivePolicy, at
from filterd.policy.engine import Engine
from filterd.policy.model import Audience, Tls
from filterd.policy.name_rules import FileRules
from filterd.policy.plain_sets import SetReader, touched
from filterd.policy.temporary_rules import Overrides
from filterd.policy.unknown_time import Certainty
from filterd.resolve import special_use
from filterd.resolve.special_use import FIRST_LABELS, SUBTREES
from filterd.resolve.zones import Endings, Zones, leased_names
from filterd.upstream import Route, in_clear
from filterd.upstream.resolv_conf import is_own
from filterd.version import RELEASED_AT
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.lists.index import Index
    from filterd.policy.grade_changes import Dated
    from filterd.policy.model import Client, Policy, UpstreamServer
    from filterd.policy.plain_sets import Touch

NOTHING_SET = Overrides()

_REVERSE = tuple(map(names.from_text, ("in-addr.arpa", "ip6.arpa")))

TIME = "time"
"""The reason of the pins that are time servers (blocklists/pins.yaml)."""

_BELIEVED_FOR_S = 10 * 366 * 86_400
"""An index with a build time later than this after the release had a wrong clock."""


class PlainView(NamedTuple):
    """One policy and one index, as the fast path reads them.

    Finding the names with other rules than list entries takes as long as dozens of
    answers. So it belongs to the site, which is loaded while no client waits.

    Attributes:
        sets: the meaning of a claim set for a grade.
        touched: the names with any rule but a list entry, and their ancestors.
        named: the addresses of clients that a rule treats individually.
    """

    sets: SetReader
    touched: dict[bytes, Touch]
    named: frozenset[str]

    @classmethod
    def of(
        cls,
        policy: Policy,
        index: Index,
        changes: Iterable[Dated] = (),
        files: FileRules | None = None,
    ) -> Self:
        """Prepare the view of a policy and an index.

        Args:
            policy: a plain one.
            index: the compiled lists.
            changes: what is open or closed for a time; a client with changes of its own
                has times of change that other clients do not have.
            files: what is known of the files that the policy was made of.
        """
        leased = _REVERSE if policy.lease_zone is not None else ()
        clients = (rule.whom for rule in policy.rules if rule.audience is Audience.CLIENT)
        coming = (
            change.change.whom for change in changes if change.change.audience is Audience.CLIENT
        )
        servers = (server.address for zone in policy.delegated_zones for server in zone.servers)
        return cls(
            SetReader(policy, index),
            touched(policy, (*special_use.SUBTREES, *leased), files),
            frozenset((*clients, *coming, *servers, *policy.clients)),
        )


class TimedPolicy(NamedTuple):
    """Sources of the effective policy: the site's files and the overrides.

    ``certain`` returns what is certain about the time while that is not confirmed.
    """

    policy: Policy
    overrides: Overrides
    certain: Callable[[], Certainty] = Certainty

    def at(self, now: float) -> EffectivePolicy:
        """Return the effective policy at a policy time."""
        return at(self.policy, self.overrides, now, self.certain())


@frozen(eq=False)
class Site:
    """One policy and one index at one moment, and everything derived from them.

    ``policy`` is an effective one, without any time in it (``policy.effective_policy``);
    ``timed`` are its sources, and ``moment`` has the interval in which it holds.
    ``route`` leads to the upstreams by address: what the policy calls ``system``
    has been looked up. ``files`` is what the site's own files say of names.
    ``surroundings`` outlives any one site: it is what the
    network shows of the devices. ``existing`` are names above others, so that
    none may be denied: top-level domains, and the ancestors of the site's zones.
    ``own`` are the names at or beneath which a source other than the Internet has data.
    ``unset_clock`` has the route for time servers before the clock is set: it goes
    by the machine's clock, all the rest by policy time (``policy.unknown_time``).
    ``reading`` is the view of the fast path; ``confidential`` has the names that no log has.
    """

    policy: Policy
    timed: TimedPolicy
    moment: EffectivePolicy
    files: FileRules
    index: Index
    route: Route
    surroundings: Surroundings
    engine: Engine
    identifier: Identifier
    zones: Zones
    existing: frozenset[bytes]
    own: Endings
    unset_clock: UnsetClock
    reading: PlainView
    confidential: ConfidentialNames

    @classmethod
    def of(
        cls,
        policy: Policy,
        index: Index,
        upstreams: tuple[UpstreamServer, ...],
        surroundings: Surroundings | None = None,
        overrides: Overrides = NOTHING_SET,
        now: float = 0.0,
        certain: Callable[[], Certainty] = Certainty,
    ) -> Site:
        """Make a site of a policy, an index, upstream addresses and the network.

        Args:
            policy: the site's files.
            index: the compiled lists.
            upstreams: the servers to ask.
            surroundings: the devices and links of the network.
            overrides: those of commands.
            now: policy time, for rules that do not always hold.
            certain: returns what is certain about the time while that is not confirmed.
        """
        timed = TimedPolicy(policy, overrides, certain)
        moment = timed.at(now)
        files = FileRules(policy)
        policy = moment.policy
        zones = Zones(policy)
        surroundings = surroundings or Surroundings()
        return cls(
            policy,
            timed,
            moment,
            files,
            index,
            Route(upstreams),
            surroundings,
            Engine(policy, index, files),
            Identifier(policy, surroundings),
            zones,
            zones.ancestors.union(
                policy.top_level, names.ancestors(policy.lease_zone or names.ROOT)
            ),
            Endings((*zones.names, *leased_names(policy), *SUBTREES)),
            UnsetClock(policy, index.build.get("when"), upstreams),
            PlainView.of(policy, index, moment.changes, files),
            ConfidentialNames(policy, index),
        )

    def at(self, now: float, overrides: Overrides | None = None) -> Site:
        """Return the site at a policy time: this one, where it holds then.

        Args:
            now: that time.
            overrides: those of that time, if they differ.
        """
        if overrides is None and self.moment.holds_at(now):
            return self
        timed = self.timed if overrides is None else self.timed._replace(overrides=overrides)
        moment = timed.at(now)
        policy = moment.policy
        return replace(
            self,
            policy=policy,
            timed=timed,
            moment=moment,
            engine=Engine(policy, self.index, self.files),
            identifier=Identifier(policy, self.surroundings),
            reading=PlainView.of(policy, self.index, moment.changes, self.files),
        )

    def edge_of(self, client: Client) -> float:
        """Return the Unix time at which results may change for a client; else infinite.

        Rules for a single name may end before; the verdict has that time.
        """
        if self.moment.until == inf:
            return inf
        return self.moment.until_of(client.network, client.grade.key, client.address)

    @property
    def routes(self) -> frozenset[Route]:
        """All routes of this site."""
        unset = self.unset_clock.route
        return frozenset((self.route, *self.zones.routes, *((unset,) if unset else ())))

    def may_know(self, qname: bytes) -> bool:
        """Return quickly whether a name may be local or special; it errs towards yes."""
        first = qname[0]
        return (
            self.own.may_cover(qname)
            or qname[1 : first + 1] in FIRST_LABELS
            or len(qname) <= first + 2  # the root or a single label
        )

    def route_of(self, qname: bytes, now: float) -> Route:
        """Return the route of a name; ``now`` is Unix time as the machine has it."""
        return self.zones.route_of(qname) or self.unset_clock.route_of(qname, now) or self.route


class EpochGuard(NamedTuple):
    """A cheap check that a site is still active.

    Attributes:
        word: one aligned word of eight octets (format ``Q``), written by the process
            that activates a site.
        value: the value of the word for as long as the site is active.
        since: the Unix time from which it is.
        until: the Unix time before which it is.
    """

    word: memoryview[int]
    value: int
    since: float
    until: float

    def holds_at(self, wall: float) -> bool:
        """Return whether the site is still active; ``wall`` is Unix time."""
        return self.word[0] == self.value and self.since <= wall < self.until


class Sites(Protocol):
    """The source of the active site."""

    @property
    def current(self) -> Site:
        """The active site."""


class WatchedSites(Sites, Protocol):
    """The source of the active site, with a cheap check of it."""

    @property
    def standing(self) -> EpochGuard:
        """The check that the last value of ``current`` is still active."""


class UnsetClock:
    """Detection of a wrong clock, and the route for time servers until it is set.

    A machine without a clock battery starts in 1970. It must look up a time server to set
    its clock, and no query by strict TLS works while no certificate seems valid yet. So
    while the clock is before the earliest possible time, and only for the names of time
    servers, the upstreams are asked in clear. Policy holds for these names as for any
    other, and an answer in clear is not used later: its route is part of the cache key.

    Args:
        policy: for its pins.
        built_at: the Unix time at which the lists on this disk were compiled,
            as noted in the index; any other value is ignored.
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
    servers = (
        in_clear(upstream) if upstream.tls == Tls.STRICT else upstream for upstream in upstreams
    )
    return Route(tuple(dict.fromkeys(one for one in servers if not is_own(one, policy.listen))))
