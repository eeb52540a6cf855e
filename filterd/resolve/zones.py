# SPDX-License-Identifier: Apache-2.0
"""The site's zones: local ones, answered here completely, and delegated ones.

A local zone is complete: a name not in it does not exist and is never asked
upstream (dns.md §3). A delegated zone belongs to servers of the school, an
Active Directory say, and no other server may be asked about it.

Nearly all qnames are outside all of them. ``Endings`` rules these out by one look
at their last octets.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.upstream import Route
from filterd.wire import Rcode, RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import LocalZone, Policy, ZoneRecord

_MOST_COMPARED = 8
"""Names with one tail; where there are more, walking the labels is as fast."""


class Endings:
    """A pre-filter of names, by their last octets. Immutable.

    Args:
        names: in canonical wire form.
    """

    def __init__(self, names: Iterable[bytes]) -> None:
        known = frozenset(names)
        self._tail_octets = min(map(len, known), default=1)
        by_tail: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for name in known:
            by_tail[name[-self._tail_octets :]].append(name)
        self._by_tail = {
            tail: tuple(ends) if len(ends) <= _MOST_COMPARED else (tail,)
            for tail, ends in by_tail.items()
        }

    def may_cover(self, qname: bytes) -> bool:
        """Return whether one of the names may be ``qname`` or an ancestor of it.

        No false negatives: a name ends with each of its ancestors.
        """
        ends = self._by_tail.get(qname[-self._tail_octets :])
        return ends is not None and qname.endswith(ends)


_LONGEST_CHAIN = 11
"""Aliases followed within a zone; as many as resolvers follow (reliability.md B4)."""


@dataclass(frozen=True, slots=True)
class ZoneAnswer:
    """The answer of a local zone: records, or that name or type do not exist."""

    rcode: int
    records: tuple[ZoneRecord, ...]


class Zones:
    """The zones of a site; answers from local ones. Immutable.

    The innermost zone decides: one delegated within a local one is not local.

    Attributes:
        ancestors: the names above the zones, which exist because the zones do.
        names: the names of the zones.
    """

    def __init__(self, policy: Policy) -> None:
        self._zones: dict[bytes, _LocalData | Route] = {
            **{zone.name: _LocalData(zone) for zone in policy.local_zones},
            **{zone.name: Route(zone.servers, whole=True) for zone in policy.delegated_zones},
        }
        self.names = frozenset(self._zones)
        self._endings = Endings(self.names)
        self.ancestors = frozenset(
            above for name in self._zones for above in list(names.suffixes(name))[1:]
        )

    def answer(self, qname: bytes, qtype: int) -> ZoneAnswer | None:
        """Answer from the local zone that holds ``qname``; None if none does.

        An alias is followed as long as it stays within local zones; the resolver
        follows one that leaves them.
        """
        collected: list[ZoneRecord] = []
        for _ in range(_LONGEST_CHAIN):
            zone = self._zone_of(qname)
            if not isinstance(zone, _LocalData):
                return ZoneAnswer(Rcode.NOERROR, tuple(collected)) if collected else None
            if qname not in zone.existing:
                return ZoneAnswer(Rcode.NXDOMAIN, tuple(collected))
            found = zone.records.get((qname, qtype), ())
            alias = zone.records.get((qname, RRType.CNAME), ())
            if found or not alias or qtype == RRType.CNAME:
                return ZoneAnswer(Rcode.NOERROR, (*collected, *found))
            collected.append(alias[0])
            qname = names.canonical(alias[0].rdata)
        return ZoneAnswer(Rcode.SERVFAIL, ())

    @property
    def routes(self) -> list[Route]:
        """The routes of the delegated zones."""
        return [one for one in self._zones.values() if not isinstance(one, _LocalData)]

    def route_of(self, qname: bytes) -> Route | None:
        """Return the route of the delegated zone that holds ``qname``; None if none does."""
        if not self._endings.may_cover(qname):  # it is called several times a question
            return None
        zone = self._zone_of(qname)
        return zone if isinstance(zone, Route) else None

    def name_over(self, qname: bytes) -> bytes | None:
        """Return the name of the innermost zone of ``qname``; None if there is none."""
        return next((one for one in names.suffixes(qname) if one in self._zones), None)

    def _zone_of(self, qname: bytes) -> _LocalData | Route | None:
        name = self.name_over(qname)
        return None if name is None else self._zones[name]


class _LocalData:
    """One local zone: records by (owner, type), and every existing name.

    An owner's ancestors within the zone exist too, with no data of their own
    (empty non-terminals, RFC 4592 §2.2.2).
    """

    def __init__(self, zone: LocalZone) -> None:
        by_key: defaultdict[tuple[bytes, int], list[ZoneRecord]] = defaultdict(list)
        existing = {zone.name}
        for record in zone.records:
            by_key[record.owner, record.rtype].append(record)
            existing.update(
                name
                for name in names.suffixes(record.owner)
                if names.is_at_or_beneath(name, zone.name)
            )
        self.records = {key: tuple(records) for key, records in by_key.items()}
        self.existing = frozenset(existing)
