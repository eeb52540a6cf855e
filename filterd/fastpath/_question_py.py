# SPDX-License-Identifier: Apache-2.0
"""Questions that may be answered without thinking, in readable Python (see ``_question.pxd``).

Whatever is the least out of the ordinary is left to the chain (dns.md §8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import WireError
from filterd.wire.header import AD, CD, HEADER_OCTETS, RD, peek_header
from filterd.wire.parsed_query import parse_query
from filterd.wire.truncate import size_limit

if TYPE_CHECKING:
    from filterd.wire.parsed_query import ParsedQuery

ASKED_RD, ASKED_CD, ASKED_AD, ASKED_DO, ASKED_OPT = 1, 2, 4, 8, 16
"""What of a question beside name and type its answer depends on."""

NO_OPS = (3, 11, 12)
"""EDNS options that change no answer: NSID, keepalive, padding (RFC 5001, 7828, 7830)."""

_FLAGS = RD | AD | CD
_OPT, _META = 41, range(249, 256)


class Asked(NamedTuple):
    """A question that may be answered here. ``end``: where its section ends; ``limit``: octets."""

    qname: bytes
    qtype: int
    flags: int
    end: int
    limit: int


def read(message: bytes) -> Asked | None:
    """Read a question if it is of the kind that may be answered here (dns.md §8)."""
    if len(message) < HEADER_OCTETS or peek_header(message).flags & ~_FLAGS:
        return None
    if peek_header(message).nscount or peek_header(message).arcount > 1:
        return None
    try:
        query = parse_query(message)
    except WireError:
        return None
    if not _is_ordinary(query):
        return None
    question = query.question
    flags = flags_of(query)
    end = HEADER_OCTETS + len(question.wire)
    return Asked(question.qname, question.qtype, flags, end, size_limit(query, "udp"))


def flags_of(query: ParsedQuery) -> int:
    """Return what of a question beside name and type its answer depends on."""
    header = query.header
    return (
        (ASKED_RD if header.rd else 0)
        | (ASKED_CD if header.cd else 0)
        | (ASKED_AD if header.ad else 0)
        | (ASKED_DO if query.do else 0)
        | (ASKED_OPT if query.edns is not None else 0)
    )


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
