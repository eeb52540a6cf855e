# SPDX-License-Identifier: Apache-2.0
"""The lease zone: names that devices gave to the DHCP server (dns.md §3). Pure.

It is complete, as a local zone is: a name in it that no device has does not
exist. Records of the site's files take precedence: a device with the same name as a
record of a local zone has no name at all. The reverse names of addresses that
have a name here are answered too, and only those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import ZoneRecord
from filterd.resolve.zones import ZoneAnswer
from filterd.wire import Rcode, RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.policy.model import Policy
    from filterd.resolve.site import Site

_TTL_S = 60
"""A device that comes back may have another address."""

_REVERSE_IPV4 = names.from_text("in-addr.arpa")
_REVERSE_IPV6 = names.from_text("ip6.arpa")
_ADDRESS_TYPES = {4: RRType.A, 16: RRType.AAAA}
_NODATA = ZoneAnswer(Rcode.NOERROR, ())
_OCTETS = {str(octet).encode(): f"{octet:02x}" for octet in range(256)}
_NIBBLES = {f"{nibble:x}".encode(): f"{nibble:x}" for nibble in range(16)}


def names_of(policy: Policy) -> tuple[bytes, ...]:
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
        ZoneRecord(qname, qtype, _TTL_S, packed)
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
    return ZoneAnswer(Rcode.NOERROR, (ZoneRecord(qname, qtype, _TTL_S, owner),))


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
