# SPDX-License-Identifier: Apache-2.0
"""Messages for tests: honest ones from dnspython, and raw ones that may lie.

Nothing here uses ``filterd.wire``, so that the composer does not check the parser.
"""

from __future__ import annotations

from functools import lru_cache
from struct import pack
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Iterable

QUESTION = b"\x07example\x03com\x00\x00\x01\x00\x01"
"""``example.com. IN A`` as a question section; its qname stands at octet 12."""

OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
"""An OPT record without options, advertising 1232 octets."""


def a_query(
    name: str = "example.com",
    qtype: str | int = "A",
    *,
    qclass: str = "IN",
    edns: bool = True,
    udp_size: int = 1232,
    options: Iterable[dns.edns.Option] = (),
    do: bool = False,
    rd: bool = True,
    cd: bool = False,
    ad: bool = False,
    message_id: int = 0x1234,
) -> bytes:
    """Return the query that a stub would send."""
    flags = (dns.flags.RD if rd else 0) | (dns.flags.CD if cd else 0) | (dns.flags.AD if ad else 0)
    about = name, dns.rdatatype.RdataType.make(qtype), qclass, flags
    sized = udp_size if edns else None
    composed = _compose(*about, sized, do, options) if options else _composed(*about, sized, do)
    return message_id.to_bytes(2) + composed[2:]


def _compose(
    name: str,
    rdtype: dns.rdatatype.RdataType,
    qclass: str,
    flags: int,
    udp_size: int | None,
    do: bool,
    options: Iterable[dns.edns.Option] = (),
) -> bytes:
    query = dns.message.make_query(name, rdtype, qclass, id=0)
    query.flags = dns.flags.Flag(flags)
    if udp_size is not None:
        query.use_edns(0, dns.flags.DO if do else 0, udp_size, options=list(options))
    return query.to_wire()


_composed = lru_cache(4096)(_compose)
"""Tests ask for the same few names again and again."""


def a_response(
    query: bytes,
    *answers: str,
    rcode: str = "NOERROR",
    authority: Iterable[str] = (),
    additional: Iterable[str] = (),
    aa: bool = False,
    tc: bool = False,
) -> bytes:
    """Return what an upstream would answer to ``query``.

    Args:
        query: whole, as ``a_query`` makes it.
        answers: records as a zone file writes them: ``"example.com 300 A 198.18.0.1"``.
            Records that share owner and type become one RRset.
        rcode: a mnemonic.
        authority: likewise.
        additional: likewise.
        aa: authoritative answer.
        tc: truncated.
    """
    response = dns.message.make_response(dns.message.from_wire(query), recursion_available=True)
    response.set_rcode(dns.rcode.from_text(rcode))
    response.flags |= (dns.flags.AA if aa else 0) | (dns.flags.TC if tc else 0)
    sections = (response.answer, response.authority, response.additional)
    for section, lines in zip(sections, (answers, authority, additional), strict=True):
        for line in lines:
            _add(response, section, line)
    return response.to_wire()


def _add(response: dns.message.Message, section: list[dns.rrset.RRset], line: str) -> None:
    owner, ttl, rtype, text = line.split(maxsplit=3)
    rdclass, rdtype = dns.rdataclass.IN, dns.rdatatype.from_text(rtype)
    rdata = dns.rdata.from_text(rdclass, rdtype, text, dns.name.root, relativize=False)
    name = dns.name.from_text(owner)
    rrset = response.find_rrset(section, name, rdclass, rdtype, rdata.covers(), create=True)
    rrset.add(rdata, int(ttl))


def a_message(
    body: bytes,
    *,
    flags: int = 0x0100,
    qdcount: int = 1,
    ancount: int = 0,
    nscount: int = 0,
    arcount: int = 0,
    message_id: int = 0x1234,
) -> bytes:
    """Return a header with the given fields, and any octets behind it."""
    return pack("!HHHHHH", message_id, flags, qdcount, ancount, nscount, arcount) + body


def a_record(
    rdata: bytes = b"\xc6\x12\x00\x01",
    *,
    owner: bytes = b"\xc0\x0c",
    rtype: int = 1,
    rclass: int = 1,
    ttl: int = 300,
    rdlength: int | None = None,
) -> bytes:
    """Return one record; ``rdlength`` may lie."""
    size = len(rdata) if rdlength is None else rdlength
    return owner + pack("!HHIH", rtype, rclass, ttl, size) + rdata
