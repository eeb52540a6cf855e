# SPDX-License-Identifier: Apache-2.0
"""Message composition: the one place that decides the flags of what filterd sends.

A reply echoes the question in the letter case in which it was asked, and ID,
opcode, RD and CD. OPT is composed anew, and only where the query had it. AD is set
only for a client that can be expected to understand it (RFC 6840 §5.8). Nothing else
of the query comes back: no unknown option, no client subnet.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING

from filterd.wire.edns import compose_ede, compose_edns
from filterd.wire.header import (
    AA,
    AD,
    CD,
    HEADER,
    OPCODE_MASK,
    QR,
    RA,
    RCODE_MASK,
    RD,
    TC,
    Header,
    compose_header,
)
from filterd.wire.registry import EdnsOption, Rcode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.wire.edns import Ede
    from filterd.wire.parsed_query import ParsedQuery
    from filterd.wire.section import Question

QNAME_POINTER = b"\xc0\x0c"
"""Used as an owner name for the qname, which always begins at octet 12."""

_FIXED = Struct("!HHIH")
_OPTION_HEADER_OCTETS = 4


def encode_record(
    owner: bytes,
    rtype: int,
    ttl_s: int,
    rdata: bytes,
    rclass: int = 1,
    *,
    owner_is_qname: bool = False,
) -> bytes:
    """Return one resource record.

    Args:
        owner: uncompressed wire form; not used where ``owner_is_qname``.
        rtype: the type.
        ttl_s: seconds, less than 2**31.
        rdata: uncompressed, at most 65535 octets.
        rclass: the class.
        owner_is_qname: write the owner as a pointer to the question.
    """
    name = QNAME_POINTER if owner_is_qname else owner
    return name + _FIXED.pack(rtype, rclass, ttl_s, len(rdata)) + rdata


def reply_header(query: ParsedQuery, rcode: int, flags: int, counts: tuple[int, int, int]) -> bytes:
    """Return the header of a reply with one question.

    Args:
        query: what is answered.
        rcode: all twelve bits; more than four are lost without EDNS, so
            then such an rcode becomes SERVFAIL rather than a wrong one.
        flags: AA, TC, RA and AD as wished.
        counts: records in answer, authority and additional, OPT not counted.
    """
    asked = query.header
    if not (asked.ad or query.do):
        flags &= ~AD
    if rcode > RCODE_MASK and query.edns is None:
        rcode = Rcode.SERVFAIL
    flags |= QR | asked.flags & (OPCODE_MASK | RD | CD) | rcode & RCODE_MASK
    answers, authorities, additionals = counts
    additionals += query.edns is not None
    return HEADER.pack(asked.id, flags, 1, answers, authorities, additionals)


def reply_edns(query: ParsedQuery, rcode: int, edes: Sequence[Ede]) -> bytes:
    """Return the OPT record of a reply, nothing if the query had none."""
    if query.edns is None:
        return b""
    for ede in edes:
        if ede.text:  # an upstream's, of any length
            return _opt(query.edns.do, rcode >> 4, edes)
    return _kept_opt(query.edns.do, rcode >> 4, tuple(edes))


def _opt(do: bool, extended_rcode: int, edes: Sequence[Ede]) -> bytes:
    options = [compose_ede(ede) for ede in edes]
    return compose_edns(do=do, extended_rcode=extended_rcode, options=options)


@lru_cache(maxsize=256)
def _kept_opt(do: bool, extended_rcode: int, edes: tuple[Ede, ...]) -> bytes:
    """Return an OPT record, memorised: nearly every reply has one of the same few."""
    return _opt(do, extended_rcode, edes)


def compose_reply(  # noqa: PLR0913 -- the parts of a message
    query: ParsedQuery,
    rcode: int,
    *,
    answers: Sequence[bytes] = (),
    authorities: Sequence[bytes] = (),
    edes: Sequence[Ede] = (),
    aa: bool = False,
    ad: bool = False,
    ra: bool = True,
    tc: bool = False,
) -> bytes:
    """Return a whole reply.

    Args:
        query: what is answered.
        rcode: up to twelve bits.
        answers: whole records, each as ``encode_record`` makes it.
        authorities: likewise.
        edes: sent only where the query had OPT.
        aa: authoritative answer.
        ad: authentic data; dropped where the query had neither DO nor AD.
        ra: recursion available.
        tc: truncated.
    """
    flags = (AA if aa else 0) | (AD if ad else 0) | (RA if ra else 0) | (TC if tc else 0)
    header = reply_header(query, rcode, flags, (len(answers), len(authorities), 0))
    edns = reply_edns(query, rcode, edes)
    return b"".join((header, query.question.wire, *answers, *authorities, edns))


def compose_query(
    message_id: int,
    question: Question,
    *,
    rd: bool = True,
    cd: bool = False,
    ad: bool = False,
    do: bool = False,
    edns: bool = True,
    pad_to: int = 0,
) -> bytes:
    """Return a query to send upstream, without options of a client (RFC 7871 §12.1).

    Args:
        message_id: its ID.
        question: what it asks.
        rd: recursion desired.
        cd: checking disabled.
        ad: authentic data understood.
        do: DNSSEC records wanted.
        edns: whether it has an OPT record.
        pad_to: pad it to a multiple of so many octets, so that its size reveals
            little on an encrypted connection (RFC 7830); needs ``edns``.
    """
    flags = (RD if rd else 0) | (CD if cd else 0) | (AD if ad else 0)
    query = compose_header(Header(message_id, flags, 1, 0, 0, int(edns))) + question.wire
    if not edns:
        return query
    opt = compose_edns(do=do)
    if not pad_to:
        return query + opt
    padding = bytes(-(len(query) + len(opt) + _OPTION_HEADER_OCTETS) % pad_to)
    return query + compose_edns(do=do, options=[(EdnsOption.PADDING, padding)])
