# SPDX-License-Identifier: Apache-2.0
"""Query parser, under bounds that every honest query keeps.

Exactly one question, no answers, at most two additional records (OPT and TSIG),
counts that agree with the octets and nothing behind them. IXFR alone brings a
record in the authority section (RFC 1995 §3), so that it can be refused rather
than called malformed.
"""

from __future__ import annotations

from typing import NamedTuple

from filterd.base.errors import BadCountError, BadEdnsError, CostlyMessageError
from filterd.wire.cursor import Budget, Cursor
from filterd.wire.edns import Edns, parse_edns, parse_plain_edns
from filterd.wire.header import HEADER_OCTETS, Header, peek_header
from filterd.wire.registry import RRType
from filterd.wire.section import ADDITIONAL, AUTHORITY, Question, Record, read_question, read_record

MAX_QUERY_OCTETS = 4096
MAX_ADDITIONAL = 2
MAX_STEPS = 256
"""Enough for the deepest owner there can be, twice."""

_OPT = int(RRType.OPT)
_TSIG = int(RRType.TSIG)
_IXFR = int(RRType.IXFR)


class ParsedQuery(NamedTuple):
    """A well-formed query. ``tsig``: it is signed, with a key unknown to filterd."""

    header: Header
    question: Question
    edns: Edns | None = None
    tsig: bool = False

    @property
    def do(self) -> bool:
        """Whether the client wants DNSSEC records (RFC 3225)."""
        return self.edns is not None and self.edns.do


def parse_query(message: bytes) -> ParsedQuery:
    """Read a whole query.

    Args:
        message: as it came, without TCP length prefix.

    Raises:
        CostlyMessageError: it is longer than 4096 octets.
        BadCountError: a count is not allowed or disagrees with the octets, or
            TSIG is not the last record (RFC 8945 §5.1).
        BadEdnsError: OPT is malformed, repeated or not in the additional section.
        TruncatedMessageError, BadLabelError, BadPointerError: as their names say.
    """
    if len(message) > MAX_QUERY_OCTETS:
        raise CostlyMessageError(f"a query of {len(message)} octets, more than 4096")
    header = peek_header(message)
    if header.qdcount != 1 or header.ancount or header.arcount > MAX_ADDITIONAL:
        raise BadCountError("a query has one question, no answer, at most two additional")
    cursor = Cursor(message, HEADER_OCTETS)
    question = read_question(cursor)
    edns, tsig = None, False
    if header.arcount == 1 and not header.nscount:
        edns = parse_plain_edns(message, cursor.offset)
        if edns is not None:
            return ParsedQuery(header, question, edns)
    if header.nscount or header.arcount:
        budget = Budget(MAX_STEPS)
        _skip_authority(cursor, header, question, budget)
        edns, tsig = _read_additional(cursor, header.arcount, budget)
    if not cursor.at_end:
        raise BadCountError("octets behind the last record", cursor.offset)
    return ParsedQuery(header, question, edns, tsig)


def _skip_authority(cursor: Cursor, header: Header, question: Question, budget: Budget) -> None:
    if header.nscount > (1 if question.qtype == _IXFR else 0):
        raise BadCountError("a query has no authority section", cursor.offset)
    for _ in range(header.nscount):
        record = read_record(cursor, AUTHORITY, budget)
        if record.rtype == _OPT:
            raise BadEdnsError("OPT outside the additional section", record.start)


def _read_additional(cursor: Cursor, count: int, budget: Budget) -> tuple[Edns | None, bool]:
    edns: Edns | None = None
    tsig = False
    for _ in range(count):
        record = read_record(cursor, ADDITIONAL, budget)
        if tsig:
            raise BadCountError("TSIG is not the last record", record.start)
        tsig = record.rtype == _TSIG
        edns = _only_edns(cursor.message, record, edns)
    return edns, tsig


def _only_edns(message: bytes, record: Record, edns: Edns | None) -> Edns | None:
    if record.rtype != _OPT:
        return edns
    if edns is not None:
        raise BadEdnsError("a second OPT record", record.start)
    return parse_edns(message, record)
