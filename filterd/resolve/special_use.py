# SPDX-License-Identifier: Apache-2.0
"""Special-use names, which never leave the school (RFC 6761).

| names                                   | source        | answer            |
| --------------------------------------- | ------------- | ----------------- |
| localhost and beneath                   | RFC 6761      | loopback address  |
| invalid, test, onion, alt, local,       | RFC 6761,     | NXDOMAIN          |
| internal, home.arpa, service.arpa       | 7686, 9476,   |                   |
|                                         | 6762, 8375,   |                   |
|                                         | 9665          |                   |
| reverse zones of private addresses      | RFC 6303      | NXDOMAIN          |
| single labels                           | see below     | NXDOMAIN          |
| wpad, isatap and beneath a search domain| see below     | NXDOMAIN          |
| use-application-dns.net, mask*.icloud,  | see below     | NXDOMAIN          |
| dns-tunnel-check.googlezip.net          |               |                   |
| resolver.arpa, _dns.*                   | RFC 9462      | NODATA            |

A single label is a machine of the network or a typing error, and no name of the Internet.
A search for a proxy or a tunnel (wpad, isatap) that leaves the school can be answered by
any registrant of the name. With NXDOMAIN for the names of their makers, Firefox and Apple's
devices use the DNS of the network instead of encrypted DNS elsewhere, and Chrome asks it before
it opens pages through its prefetch proxy.

Where something exists beneath a name, a top-level domain or a zone of the site,
it gets NODATA instead of NXDOMAIN: that would deny what lies beneath (RFC 8020).
A delegated or local zone of the site takes precedence over this table. Pure.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.base.value_class import frozen
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_ZONES = ("invalid", "test", "onion", "alt", "local", "internal", "home.arpa", "service.arpa")

_PRIVATE_REVERSE = (
    *(f"{n}.in-addr.arpa" for n in ("0", "10", "127", "254.169", "168.192", "255.255.255.255")),
    *(f"{n}.172.in-addr.arpa" for n in range(16, 32)),
    *(f"{n}.100.in-addr.arpa" for n in range(64, 128)),
    *(f"{n}.in-addr.arpa" for n in ("2.0.192", "100.51.198", "113.0.203")),
    ipaddress.ip_address("::").reverse_pointer,
    ipaddress.ip_address("::1").reverse_pointer,
    "d.f.ip6.arpa",
    *(f"{n}.e.f.ip6.arpa" for n in "89ab"),
    "8.b.d.0.1.0.0.2.ip6.arpa",
)

_CANARIES = (
    "use-application-dns.net",
    "mask.icloud.com",
    "mask-h2.icloud.com",
    "mask-canary.icloud.com",
    "dns-tunnel-check.googlezip.net",
)
"""Firefox, iCloud Private Relay, and Chrome's private prefetch proxy, which would look names
up elsewhere."""

_TYPES_OF_A_TLD = frozenset(
    (RRType.NS, RRType.SOA, RRType.DS, RRType.DNSKEY, RRType.RRSIG, RRType.NSEC, RRType.NSEC3PARAM)
)
"""A validating resolver behind filterd asks these of a top-level domain; no search does."""


class SpecialAnswer(StrEnum):
    """The answer for a special name, without asking upstream."""

    LOOPBACK = "loopback"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"


class SpecialReason(StrEnum):
    """The reason; part of the output of ``filterd check``."""

    LOCALHOST = "localhost"
    NEVER_DELEGATED = "never-delegated"
    PRIVATE_REVERSE = "private-reverse"
    SINGLE_LABEL = "single-label"
    DISCOVERY = "discovery"
    CANARY = "canary"
    ENCRYPTED_DNS_DISCOVERY = "encrypted-dns-discovery"


@frozen
class Special:
    """The answer for one special name, and the reason."""

    answer: SpecialAnswer
    reason: SpecialReason


def _table(
    texts: Iterable[str], answer: SpecialAnswer, reason: SpecialReason
) -> dict[bytes, Special]:
    return dict.fromkeys(map(names.from_text, texts), Special(answer, reason))


_SUBTREES: dict[bytes, Special] = {
    **_table(["localhost"], SpecialAnswer.LOOPBACK, SpecialReason.LOCALHOST),
    **_table(_NO_ZONES, SpecialAnswer.NXDOMAIN, SpecialReason.NEVER_DELEGATED),
    **_table(_PRIVATE_REVERSE, SpecialAnswer.NXDOMAIN, SpecialReason.PRIVATE_REVERSE),
    **_table(_CANARIES, SpecialAnswer.NXDOMAIN, SpecialReason.CANARY),
    **_table(["resolver.arpa"], SpecialAnswer.NODATA, SpecialReason.ENCRYPTED_DNS_DISCOVERY),
}

SUBTREES = frozenset(_SUBTREES)
"""Names that are special with everything beneath them."""

FIRST_LABELS = frozenset((b"wpad", b"isatap", b"_dns"))
"""First labels that make any name special."""

_SINGLE_LABEL = Special(SpecialAnswer.NXDOMAIN, SpecialReason.SINGLE_LABEL)
_DISCOVERY = Special(SpecialAnswer.NXDOMAIN, SpecialReason.DISCOVERY)
_ENCRYPTED_DNS = Special(SpecialAnswer.NODATA, SpecialReason.ENCRYPTED_DNS_DISCOVERY)


def judge(qname: bytes, qtype: int, existing: frozenset[bytes] = frozenset()) -> Special | None:
    """Return the answer for a special name, None for an ordinary name.

    Args:
        qname: canonical wire name.
        qtype: the type asked for.
        existing: names that have names beneath them.
    """
    special = _special(qname)
    if special is None or qname not in existing:
        return special
    if special is _SINGLE_LABEL and qtype in _TYPES_OF_A_TLD:
        return None
    if special.answer is SpecialAnswer.NXDOMAIN:
        return Special(SpecialAnswer.NODATA, special.reason)
    return special


def _special(qname: bytes) -> Special | None:
    if qname == names.ROOT:
        return None
    first = qname[1 : qname[0] + 1]
    if first in (b"wpad", b"isatap"):
        return _DISCOVERY
    if first == b"_dns":
        return _ENCRYPTED_DNS
    for suffix in names.suffixes(qname):
        if suffix in _SUBTREES:
            return _SUBTREES[suffix]
    return _SINGLE_LABEL if names.parent(qname) == names.ROOT else None
