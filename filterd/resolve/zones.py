# SPDX-License-Identifier: Apache-2.0
"""The site's zones: local ones and leases, answered here, and delegated ones.

A local zone is complete: a name not in it does not exist, and is never sent upstream,
where it would leak (RFC 6303). So is the lease zone, which has the names that devices
gave to the DHCP server, and the reverse names of their addresses. Records of the site's
files take precedence: a device with the name of such a record has no name at all.

A delegated zone belongs to servers of the school, an Active Directory say, and no other
server may be asked about it.

Nearly all qnames are outside all of them. ``Endings`` excludes these by one look at
their last octets.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from filterd.base.value_class import frozen
from filterd.policy.model import ZoneRecord
from filterd.upstream import Route
from filterd.wire import Rcode, RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import LocalZone, Policy
    from filterd.resolve.site import Site

_MOST_COMPARED = 8
"""Names with one tail; where there are more, walking the labels is as fast."""

_LONGEST_CHAIN = 11
"""Aliases followed within a zone; as many as resolvers follow."""

_LEASE_TTL_S = 60
"""Of the names of leases: a device that comes back may have another address."""

_REVERSE_IPV4 = names.from_text("in-addr.arpa")
_REVERSE_IPV6 = names.from_text("ip6.arpa")
_ADDRESS_TYPES = {4: RRType.A, 16: RRType.AAAA}

_OCTETS = {str(octet).encode(): f"{octet:02x}" for octet in range(256)}
_NIBBLES = {f"{nibble:x}".encode(): f"{nibble:x}" for nibble in range(16)}


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


@frozen
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
        self.ancestors = frozenset(above for name in self._zones for above in names.ancestors(name))

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
        return [zone for zone in self._zones.values() if not isinstance(zone, _LocalData)]

    def route_of(self, qname: bytes) -> Route | None:
        """Return the route of the delegated zone that holds ``qname``; None if none does."""
        if not self._endings.may_cover(qname):  # it is called several times a question
            return None
        zone = self._zone_of(qname)
        return zone if isinstance(zone, Route) else None

    def name_over(self, qname: bytes) -> bytes | None:
        """Return the name of the innermost zone of ``qname``; None if there is none."""
        return next((suffix for suffix in names.suffixes(qname) if suffix in self._zones), None)

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


_NODATA = ZoneAnswer(Rcode.NOERROR, ())


def leased_names(policy: Policy) -> tuple[bytes, ...]:
    """Return the names at or beneath which leases may answer."""
    zone = policy.lease_zone
    return () if zone is None else (zone, _REVERSE_IPV4, _REVERSE_IPV6)


def answer_leased(site: Site, qname: bytes, qtype: int) -> ZoneAnswer | None:
    """Answer from the current leases; None for a name that they do not cover."""
    zone = site.policy.lease_zone
    if zone is None:
        return None
    if names.is_at_or_beneath(qname, zone):
        return _answer_forward(site, zone, qname, qtype)
    return _answer_reverse(site, zone, qname, qtype)


def is_above_leased(site: Site, qname: bytes) -> bool:
    """Return whether a reverse name with an answer lies beneath (RFC 8020)."""
    if site.policy.lease_zone is None or (reverse := _reverse_digits(qname)) is None:
        return False
    digits, size_octets = reverse
    return len(digits) < 2 * size_octets and site.surroundings.names.is_any_in(digits, size_octets)


def _answer_forward(site: Site, zone: bytes, qname: bytes, qtype: int) -> ZoneAnswer:
    if qname == zone:
        return _NODATA
    host = names.labels(qname)[0].decode("ascii", errors="replace")
    addresses = site.surroundings.names.addresses.get(host, ())
    if names.parent(qname) != zone or not addresses:
        return ZoneAnswer(Rcode.NXDOMAIN, ())
    records = [
        ZoneRecord(qname, qtype, _LEASE_TTL_S, packed)
        for packed in addresses
        if qtype == _ADDRESS_TYPES[len(packed)]
    ]
    return ZoneAnswer(Rcode.NOERROR, tuple(records))


def _answer_reverse(site: Site, zone: bytes, qname: bytes, qtype: int) -> ZoneAnswer | None:
    reverse = _reverse_digits(qname)
    if reverse is None or len(reverse[0]) != 2 * reverse[1]:
        return None
    holder = site.surroundings.names.holders.get(bytes.fromhex(reverse[0]))
    if holder is None:
        return None
    label = holder[0].encode("ascii")
    owner = bytes((len(label),)) + label + zone
    if len(owner) > names.MAX_NAME_OCTETS or _is_taken(site, owner):
        return None
    if qtype != RRType.PTR:
        return _NODATA
    return ZoneAnswer(Rcode.NOERROR, (ZoneRecord(qname, qtype, _LEASE_TTL_S, owner),))


def _is_taken(site: Site, owner: bytes) -> bool:
    """Return whether a local zone has the name: its author meant something else."""
    written = site.zones.answer(owner, RRType.A)
    return written is not None and written.rcode != Rcode.NXDOMAIN


def _reverse_digits(qname: bytes) -> tuple[str, int] | None:
    """Return the leading hex digits of an address, and its size in octets.

    ``6.168.192.in-addr.arpa`` -> ``("c0a806", 4)`` (RFC 1035 §3.5, RFC 3596 §2.5).
    None for a name that is no reverse name.
    """
    if names.is_at_or_beneath(qname, _REVERSE_IPV4):
        zone, digits_of, size_octets, most = _REVERSE_IPV4, _OCTETS, 4, 4
    elif names.is_at_or_beneath(qname, _REVERSE_IPV6):
        zone, digits_of, size_octets, most = _REVERSE_IPV6, _NIBBLES, 16, 32
    else:
        return None
    labels = names.labels(qname)[: -names.count_labels(zone)]
    digits = [digits_of.get(label, "") for label in reversed(labels)]
    if len(digits) > most or not all(digits):
        return None
    return "".join(digits), size_octets
