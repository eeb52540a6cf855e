# SPDX-License-Identifier: Apache-2.0
"""Replies of filterd's own: blocks, refusals, errors.

Blocks never claim authority (AA=0) or authenticity (AD=0), and their SOA makes
resolvers behind us forget them soon (RFC 2308): a name that is allowed again
must work again within seconds. Errors for what does not parse are made from the
raw header alone.
"""

from __future__ import annotations

from functools import cache
from struct import Struct
from typing import TYPE_CHECKING

from filterd.wire.compose import compose_reply, encode_record
from filterd.wire.header import OPCODE_MASK, QR, RA, RD, Header, compose_header, peek_header
from filterd.wire.name import ROOT
from filterd.wire.question import best_effort_question
from filterd.wire.registry import Rcode, RRType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.wire.ede import Ede
    from filterd.wire.parsed_query import ParsedQuery

BLOCK_TTL_S = 10
"""The longest that a resolver or stub may cache a block."""

ANY_TTL_S = 3600
"""How long the answer to a question for ANY may be kept."""

_SOA_NAMES = ROOT + ROOT
"""No primary server, so that no host sends it updates, and no mailbox; names of least length."""

_SOA_NUMBERS = Struct("!IIIII")
ANY_HINFO_RDATA = b"\x07RFC8482\x00"
"""The HINFO that answers a question for ANY (RFC 8482 §4.2)."""


@cache
def _negative_soa(ttl_s: int) -> bytes:
    """Return a SOA at the qname; TTL and MINIMUM are the negative TTL (RFC 2308 §5).

    Its 34 octets are nearly all that a block adds to the question: blocks are
    what a forged source address would get most of.
    """
    rdata = _SOA_NAMES + _SOA_NUMBERS.pack(1, 3600, 600, 86400, ttl_s)
    return encode_record(b"", RRType.SOA, ttl_s, rdata, owner_is_qname=True)


def nxdomain(query: ParsedQuery, ttl_s: int = BLOCK_TTL_S, edes: Sequence[Ede] = ()) -> bytes:
    """Return NXDOMAIN: neither the qname nor anything beneath it exists (RFC 8020)."""
    soa = _negative_soa(ttl_s)
    return compose_reply(query, Rcode.NXDOMAIN, authorities=(soa,), edes=edes)


def nodata(query: ParsedQuery, ttl_s: int = BLOCK_TTL_S, edes: Sequence[Ede] = ()) -> bytes:
    """Return NODATA: the qname has no record of this type; names beneath it may exist."""
    soa = _negative_soa(ttl_s)
    return compose_reply(query, Rcode.NOERROR, authorities=(soa,), edes=edes)


def sinkhole(
    query: ParsedQuery,
    ipv4: bytes,
    ipv6: bytes,
    ttl_s: int = BLOCK_TTL_S,
    edes: Sequence[Ede] = (),
) -> bytes:
    """Return these packed addresses for A and AAAA, NODATA for every other type.

    Args:
        query: what is blocked.
        ipv4: 4 octets, or none for NODATA.
        ipv6: 16 octets, or none for NODATA.
        ttl_s: of the address or of its absence.
        edes: why.
    """
    qtype = query.question.qtype
    address = ipv4 if qtype == RRType.A else ipv6 if qtype == RRType.AAAA else b""
    if not address:
        return nodata(query, ttl_s, edes)
    record = encode_record(b"", qtype, ttl_s, address, owner_is_qname=True)
    return compose_reply(query, Rcode.NOERROR, answers=(record,), edes=edes)


def refused(query: ParsedQuery, edes: Sequence[Ede] = ()) -> bytes:
    """Return REFUSED."""
    return compose_reply(query, Rcode.REFUSED, edes=edes)


def servfail(query: ParsedQuery, edes: Sequence[Ede] = ()) -> bytes:
    """Return SERVFAIL: no answer could be had."""
    return compose_reply(query, Rcode.SERVFAIL, edes=edes)


def badvers(query: ParsedQuery) -> bytes:
    """Return BADVERS: only EDNS version 0 is supported (RFC 6891 §6.1.3)."""
    return compose_reply(query, Rcode.BADVERS)


def truncated(query: ParsedQuery) -> bytes:
    """Return an empty reply with TC; a forged source address cannot retry by TCP."""
    return compose_reply(query, Rcode.NOERROR, tc=True)


def formerr(message: bytes) -> bytes:
    """Return FORMERR for octets that are no query.

    Raises:
        TruncatedMessageError: there are fewer than 12; stay silent.
    """
    return _bare_error(message, RA | Rcode.FORMERR)


def failed(message: bytes) -> bytes:
    """Return SERVFAIL for a message that an internal error kept from being judged.

    Raises:
        TruncatedMessageError: there are fewer than 12; stay silent.
    """
    return _bare_error(message, RA | Rcode.SERVFAIL)


def notimp(message: bytes) -> bytes:
    """Return NOTIMP for an opcode that is not supported (RFC 8906 §3.2).

    RA has no meaning outside of queries; in an update its place must be zero (RFC 2136
    §2.2).

    Raises:
        TruncatedMessageError: there are fewer than 12 octets; stay silent.
    """
    return _bare_error(message, Rcode.NOTIMP)


def _bare_error(message: bytes, flags: int) -> bytes:
    """Echo ID, opcode, RD and, where it parses, the question; set ``flags`` and rcode."""
    asked = peek_header(message)
    question = best_effort_question(message)
    flags |= QR | asked.flags & (OPCODE_MASK | RD)
    return compose_header(Header(asked.id, flags, 1 if question else 0, 0, 0, 0)) + question
