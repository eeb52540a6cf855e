# SPDX-License-Identifier: Apache-2.0
"""Generated messages of all kinds, and how another library reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from hypothesis import strategies as st

if TYPE_CHECKING:
    from filterd.wire import ParsedResponse

Fact = tuple[int, bytes, int, int, int]
"""Section, canonical owner, type, class, TTL of one record."""

_LABEL = st.one_of(
    st.sampled_from([b"a", b"b", b"WWW", b"example", b"com"]),
    st.binary(min_size=1, max_size=12),
)
NAMES = st.lists(_LABEL, min_size=0, max_size=5).map(lambda labels: dns.name.Name((*labels, b"")))
_IN = dns.rdataclass.IN


def _wire(name: dns.name.Name) -> bytes:
    return b"".join(bytes((len(label),)) + label for label in name.labels)


def _rdata(rtype: str, wire: bytes) -> dns.rdata.Rdata:
    return dns.rdata.from_wire(_IN, dns.rdatatype.from_text(rtype), wire, 0, len(wire))


def _named(
    rtype: str, lead: bytes, tail: bytes = b"", names: int = 1
) -> st.SearchStrategy[dns.rdata.Rdata]:
    listed = st.lists(NAMES, min_size=names, max_size=names)
    return listed.map(lambda found: _rdata(rtype, lead + b"".join(_wire(n) for n in found) + tail))


RDATAS = st.one_of(
    st.binary(min_size=4, max_size=4).map(lambda octets: _rdata("A", octets)),
    st.binary(min_size=16, max_size=16).map(lambda octets: _rdata("AAAA", octets)),
    st.binary(max_size=40).map(lambda octets: _rdata("TXT", bytes((len(octets),)) + octets)),
    st.binary(max_size=40).map(lambda octets: _rdata("TYPE65280", octets)),
    *(_named(rtype, b"") for rtype in ("NS", "CNAME", "PTR", "DNAME")),
    *(_named(rtype, b"\0\5") for rtype in ("MX", "AFSDB", "RT", "KX")),
    _named("PX", b"\0\5", names=2),
    _named("RP", b"", names=2),
    _named("SOA", b"", bytes(range(20)), names=2),
    _named("SRV", b"\0\1\0\2\0\3"),
    _named("NAPTR", b"\0\1\0\2\1s\3SIP\0"),
    _named("HTTPS", b"\0\1", b"\0\4\0\4\1\2\3\4"),
)


@st.composite
def _messages(draw: st.DrawFn) -> bytes:
    query = dns.message.make_query(draw(NAMES), draw(st.sampled_from(["A", "AAAA", "HTTPS", "MX"])))
    if draw(st.booleans()):
        query.use_edns(0, 0, 1232)
    response = dns.message.make_response(query)
    for section in (response.answer, response.authority, response.additional):
        for rdata in draw(st.lists(RDATAS, max_size=4)):
            ttl = draw(st.integers(0, 0x7FFFFFFF))
            section.append(dns.rrset.from_rdata(draw(NAMES), ttl, rdata))
    return response.to_wire()


MESSAGES = _messages()
"""Whole responses, names compressed as dnspython does it."""


def facts_of_dnspython(message: dns.message.Message) -> list[Fact]:
    """Return what dnspython found; parse with ``one_rr_per_rrset`` to keep every record."""
    sections = (message.answer, message.authority, message.additional)
    return [
        (number, _wire(rrset.name.canonicalize()), int(rrset.rdtype), int(rrset.rdclass), rrset.ttl)
        for number, section in enumerate(sections)
        for rrset in section
    ]


def facts_of_filterd(response: ParsedResponse) -> list[Fact]:
    """Return what filterd found."""
    return [(r.section, r.owner, r.rtype, r.rclass, r.ttl) for r in response.records]


def contents(message: bytes) -> list[tuple[int, dns.name.Name, int, dns.rdata.Rdata]]:
    """Return section, owner, TTL and RDATA of all records, as dnspython reads and compares them."""
    parsed = dns.message.from_wire(message, one_rr_per_rrset=True)
    sections = (parsed.answer, parsed.authority, parsed.additional)
    return [
        (number, rrset.name, rrset.ttl, rrset[0])
        for number, section in enumerate(sections)
        for rrset in section
    ]
