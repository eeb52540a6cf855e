# SPDX-License-Identifier: Apache-2.0
"""The replies that filterd makes itself: blocks, refusals, errors.

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
"""The longest that anybody may remember a block."""

ANY_TTL_S = 3600
"""How long the answer to a question for ANY may be kept."""

_SOA_NAMES = ROOT + ROOT
"""No primary server, so that nobody sends it updates, and no mailbox; as short as names can be."""

_SOA_NUMBERS = Struct("!IIIII")
ANY_HINFO_RDATA = b"\x07RFC8482\x00"
"""What a question for ANY is answered with, as HINFO (RFC 8482 §4.2)."""


@cache
def _negative_soa(ttl_s: int) -> bytes:
    """Return a SOA at the qname; its TTL and MINIMUM are the negative TTL (RFC 2308 §5).

    Its 34 octets are nearly all that a block adds to the question: blocks are
    what a forged source address would get most of (reliability.md A9).
    """
    rdata = _SOA_NAMES + _SOA_NUMBERS.pack(1, 3600, 600, 86400, ttl_s)
    return encode_record(b"", RRType.SOA, ttl_s, rdata, owner_is_qname=True)


def nxdomain(query: ParsedQuery, ttl_s: int = BLOCK_TTL_S, edes: Sequence[Ede] = ()) -> bytes:
    """Say that the qname does not exist, nor anything beneath it (RFC 8020)."""
    soa = _negative_soa(ttl_s)
    return compose_reply(query, Rcode.NXDOMAIN, authorities=(soa,), edes=edes)


def nodata(query: ParsedQuery, ttl_s: int = BLOCK_TTL_S, edes: Sequence[Ede] = ()) -> bytes:
    """Say that the qname has no record of this type; something may exist beneath it."""
    soa = _negative_soa(ttl_s)
    return compose_reply(query, Rcode.NOERROR, authorities=(soa,), edes=edes)


def sinkhole(
    query: ParsedQuery,
    ipv4: bytes,
    ipv6: bytes,
    ttl_s: int = BLOCK_TTL_S,
    edes: Sequence[Ede] = (),
) -> bytes:
    """Answer A and AAAA with these packed addresses, every other type with NODATA.

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
    """Decline to answer."""
    return compose_reply(query, Rcode.REFUSED, edes=edes)


def servfail(query: ParsedQuery, edes: Sequence[Ede] = ()) -> bytes:
    """Say that no answer could be had."""
    return compose_reply(query, Rcode.SERVFAIL, edes=edes)


def badvers(query: ParsedQuery) -> bytes:
    """Say that only EDNS version 0 is spoken here (RFC 6891 §6.1.3)."""
    return compose_reply(query, Rcode.BADVERS)


def truncated(query: ParsedQuery) -> bytes:
    """Answer nothing but "ask over TCP": what a forged source address cannot do."""
    return compose_reply(query, Rcode.NOERROR, tc=True)


def formerr(message: bytes) -> bytes:
    """Answer octets that are no query.

    Raises:
        TruncatedMessageError: there are fewer than 12; stay silent.
    """
    return _bare_error(message, RA | Rcode.FORMERR)


def failed(message: bytes) -> bytes:
    """Answer octets that could not be judged, for a fault that is not theirs.

    Raises:
        TruncatedMessageError: there are fewer than 12; stay silent.
    """
    return _bare_error(message, RA | Rcode.SERVFAIL)


def notimp(message: bytes) -> bytes:
    """Answer a message of an opcode that filterd does not speak (RFC 8906 §3.2).

    RA says nothing outside of queries; in an update its place must be zero (RFC 2136 §2.2).

    Raises:
        TruncatedMessageError: there are fewer than 12 octets; stay silent.
    """
    return _bare_error(message, Rcode.NOTIMP)


def _bare_error(message: bytes, flags: int) -> bytes:
    """Echo ID, opcode, RD and, where it parses, the question; ``flags`` and rcode are ours."""
    asked = peek_header(message)
    question = best_effort_question(message)
    flags |= QR | asked.flags & (OPCODE_MASK | RD)
    return compose_header(Header(asked.id, flags, 1 if question else 0, 0, 0, 0)) + question
