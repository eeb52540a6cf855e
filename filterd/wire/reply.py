# SPDX-License-Identifier: Apache-2.0
"""Replies of filterd's own: blocks, refusals, errors; truncation of any answer.

Blocks never claim authority (AA=0) or authenticity (AD=0), and their SOA makes
resolvers behind us forget them soon (RFC 2308): a name that is allowed again
must work again within seconds. Errors for what does not parse are made from the
raw header alone.

Truncation removes whole RRsets from the end (RFC 2181 §9). Pointers only aim backwards, so
cutting a tail off leaves a message that parses. TC is set when an answer or authority RRset
is lost; the additional section is a courtesy, and OPT always stays.
"""

from __future__ import annotations

from functools import cache
from struct import Struct
from typing import TYPE_CHECKING

from filterd.base.errors import WireError
from filterd.wire.codec import parse_response
from filterd.wire.compose import compose_reply, encode_record
from filterd.wire.edns import UDP_SIZE, compose_edns
from filterd.wire.header import (
    HEADER_OCTETS,
    OPCODE_MASK,
    QR,
    RA,
    RD,
    TC,
    Header,
    compose_header,
    peek_header,
)
from filterd.wire.name import ROOT
from filterd.wire.registry import Rcode, RRType
from filterd.wire.section import ADDITIONAL, best_effort_question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.wire.codec import ParsedResponse
    from filterd.wire.edns import Ede, Edns
    from filterd.wire.parsed_query import ParsedQuery
    from filterd.wire.section import Record

BLOCK_TTL_S = 10
"""The longest that a resolver or stub may cache a block, which may be a mistake."""

ANY_TTL_S = 3600
"""How long the answer to a question for ANY may be kept."""

_SOA_NAMES = ROOT + ROOT
"""No primary server, so that no host sends it updates, and no mailbox; names of least length."""

_SOA_NUMBERS = Struct("!IIIII")
ANY_HINFO_RDATA = b"\x07RFC8482\x00"
"""The HINFO that answers a question for ANY (RFC 8482 §4.2)."""

MOST_CUT = 256
"""An answer with more records is emptied: at most 112 fit a datagram."""
MIN_UDP_SIZE = 512
MAX_TCP_SIZE = 65535


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
    query: ParsedQuery, ipv4: bytes, ipv6: bytes, ttl_s: int = BLOCK_TTL_S, edes: Sequence[Ede] = ()
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


def size_limit(query: ParsedQuery, transport: str) -> int:
    """Return how many octets an answer may have.

    Args:
        query: what is answered; its OPT gives the size that the client accepts.
        transport: ``"udp"`` or ``"tcp"``.
    """
    if transport == "tcp":
        return MAX_TCP_SIZE
    if query.edns is None:
        return MIN_UDP_SIZE
    return min(max(MIN_UDP_SIZE, query.edns.udp_size), UDP_SIZE)


def fit(message: bytes, limit: int) -> bytes:
    """Return ``message``, or as many of its whole RRsets as fit ``limit`` octets.

    Args:
        message: an answer that filterd composed.
        limit: at least 512, in which header, question and OPT always fit.

    Returns:
        A message that parses. What cannot be walked within the parser's bounds
        is cut to header and question, for the asker to come back over TCP.
    """
    if len(message) <= limit:
        return message
    try:
        response = parse_response(message)
    except WireError:
        return _only_question(message)
    return _cut(response, limit)


def _only_question(message: bytes) -> bytes:
    header, question = peek_header(message), best_effort_question(message)
    counts = (1 if question else 0, 0, 0, 0)
    return compose_header(Header(header.id, header.flags | TC, *counts)) + question


def _cut(response: ParsedResponse, limit: int) -> bytes:
    header, message = response.header, response.message
    # Of a huge answer nothing is left: the asker throws the rest away (RFC 2181 §9), and asks
    # by TCP. To look for the end of each RRset would take longer than all else.
    count = header.ancount + header.nscount + header.arcount
    records = _before_opt(response) if count <= MOST_CUT else ()
    opt = _opt(response, limit)
    question = response.question.wire if response.question else b""
    kept = _whole_rrsets(records, limit - len(opt))
    flags = header.flags
    if count > MOST_CUT or any(one.section != ADDITIONAL for one in response.records[kept:]):
        flags |= TC
    end = records[kept - 1].end if kept else HEADER_OCTETS + len(question)
    counts = [0, 0, 0]
    for record in records[:kept]:
        counts[record.section] += 1
    counts[ADDITIONAL] += 1 if opt else 0
    cut = compose_header(Header(header.id, flags, header.qdcount, *counts))
    return cut + message[HEADER_OCTETS:end] + opt


def _opt(response: ParsedResponse, limit: int) -> bytes:
    """Write OPT again; its options go where they would leave no room for the question."""
    edns = response.edns
    if edns is None:
        return b""
    question = len(response.question.wire) if response.question else 0
    opt = _compose_again(edns, edns.options)
    if HEADER_OCTETS + question + len(opt) <= limit:
        return opt
    return _compose_again(edns, ())


def _compose_again(edns: Edns, options: tuple[tuple[int, bytes], ...]) -> bytes:
    return compose_edns(
        do=edns.do, extended_rcode=edns.extended_rcode, options=options, udp_size=edns.udp_size
    )


def _before_opt(response: ParsedResponse) -> Sequence[Record]:
    """Return the records that may stay.

    Where OPT is not last, no other record of the additional section stays.
    """
    records = response.records
    if response.edns is None or (records and records[-1].end < len(response.message)):
        return records
    return [record for record in records if record.section != ADDITIONAL]


def _whole_rrsets(records: Sequence[Record], room: int) -> int:
    """Return how many leading records fit ``room`` octets without splitting an RRset."""
    last = {(r.section, r.owner, r.rtype): index for index, r in enumerate(records)}
    kept = open_until = 0
    for index, record in enumerate(records):
        if record.end > room:
            break
        open_until = max(open_until, last[record.section, record.owner, record.rtype])
        if open_until == index:
            kept = index + 1
    return kept
