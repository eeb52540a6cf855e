# SPDX-License-Identifier: Apache-2.0
"""The questions that the fast path may answer, by the wire's own parser."""

from __future__ import annotations

from typing import NamedTuple

from filterd.base.errors import WireError
from filterd.fastpath.core_contract import flags_of
from filterd.wire import ParsedQuery, parse_query, size_limit
from filterd.wire.header import AD, CD, HEADER_OCTETS, RD, peek_header

NO_OPS = (3, 11, 12)
"""EDNS options that change no answer: NSID, keepalive, padding (RFC 5001, 7828, 7830)."""

_OPT, _META = 41, range(249, 256)


class Asked(NamedTuple):
    """A question that may be answered. ``end``: where its section ends; ``limit``: octets."""

    qname: bytes
    qtype: int
    flags: int
    end: int
    limit: int


def read(message: bytes) -> Asked | None:
    """Read a question; return None where it is the chain's."""
    if len(message) < HEADER_OCTETS:
        return None
    header = peek_header(message)
    if header.flags & ~(RD | AD | CD) or header.nscount or header.arcount > 1:
        return None
    try:
        query = parse_query(message)
    except WireError:
        return None
    if not _is_ordinary(query):
        return None
    question = query.question
    end = HEADER_OCTETS + len(question.wire)
    return Asked(question.qname, question.qtype, flags_of(query), end, size_limit(query, "udp"))


def _is_ordinary(query: ParsedQuery) -> bool:
    question, edns = query.question, query.edns
    if query.header.arcount and edns is None:
        return False
    if question.qclass != 1 or question.qtype in (0, _OPT) or question.qtype in _META:
        return False
    if edns is None:
        return True
    plain = not (edns.version or edns.extended_rcode or edns.flags & 0x7FFF)
    return plain and all(code in NO_OPS for code, _ in edns.options)
