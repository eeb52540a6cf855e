# SPDX-License-Identifier: Apache-2.0
"""Truncation of an answer: whole RRsets are removed from the end (RFC 2181 §9).

Pointers only aim backwards, so cutting a tail off leaves a message that parses.
TC is set when an answer or authority RRset is lost; the additional section is
a courtesy, and OPT always stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.errors import WireError
from filterd.wire.codec import parse_response
from filterd.wire.edns import UDP_SIZE, compose_edns
from filterd.wire.header import HEADER_OCTETS, TC, Header, compose_header, peek_header
from filterd.wire.question import best_effort_question
from filterd.wire.record import ADDITIONAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.wire.codec import ParsedResponse
    from filterd.wire.edns import Edns
    from filterd.wire.parsed_query import ParsedQuery
    from filterd.wire.record import Record

MOST_CUT = 256
"""An answer with more records is emptied: at most 112 fit a datagram."""
MIN_UDP_SIZE = 512
MAX_TCP_SIZE = 65535


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
        do=edns.do,
        extended_rcode=edns.extended_rcode,
        options=options,
        udp_size=edns.udp_size,
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
