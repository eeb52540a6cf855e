# SPDX-License-Identifier: Apache-2.0
"""Response parser: all records are walked, none of their RDATA is read.

Whatever the octets are, the walk takes at most ``MAX_RECORDS`` records and the
steps of one ``Budget``. A response with TC set may end in the middle of a
record; it is to be asked for again over TCP and not to be used (RFC 2181 §9),
so it then has no records rather than being malformed.
"""

from __future__ import annotations

from dataclasses import field

from filterd.base.errors import (
    BadCountError,
    BadEdnsError,
    CostlyMessageError,
    TruncatedMessageError,
)
from filterd.base.value_class import frozen
from filterd.wire.cursor import Budget, Cursor, expand_name, read_name, steps_for
from filterd.wire.edns import Edns, parse_edns, parse_plain_edns
from filterd.wire.header import HEADER_OCTETS, Header, peek_header
from filterd.wire.registry import RRType
from filterd.wire.section import ADDITIONAL, Question, Record, read_question, read_record

MAX_MESSAGE_OCTETS = 65535
MAX_RECORDS = 4096
"""As many as one message holds of 16 octets each: addresses with a pointer as owner."""

_OPT = int(RRType.OPT)
_RECORD_OCTETS = 11


@frozen
class ParsedResponse:
    """A well-formed response.

    ``records`` are all but OPT, in the order of the message. ``question`` is
    None where the responder left it out, as some do with an error.
    """

    header: Header
    question: Question | None
    records: tuple[Record, ...]
    edns: Edns | None
    message: bytes = field(repr=False)
    budget: Budget = field(repr=False, compare=False)

    @property
    def rcode(self) -> int:
        """All twelve bits of the response code (RFC 6891 §6.1.3)."""
        extended = self.edns.extended_rcode if self.edns else 0
        return extended << 4 | self.header.rcode

    @property
    def steps_left(self) -> int:
        """The rest of the message's budget, which pays for reading RDATA later."""
        return self.budget.steps_left

    def spend(self, steps: int, offset: int) -> None:
        """Take steps from the message's budget (``Budget.spend``)."""
        self.budget.spend(steps, offset)

    def expand_name(self, offset: int) -> tuple[bytes, int]:
        """Read the name at an offset in its own letter case, and where it ends."""
        return expand_name(self.message, offset, self.budget)

    def read_name(self, offset: int) -> tuple[bytes, int]:
        """Read the name at an offset in canonical form, and where it ends."""
        return read_name(self.message, offset, self.budget)


def parse_response(message: bytes) -> ParsedResponse:
    """Read a whole response.

    Args:
        message: as it came, without TCP length prefix.

    Raises:
        CostlyMessageError: more octets, records or steps than any honest message has.
        BadCountError: more than one question; counts and octets disagree.
        BadEdnsError: OPT is malformed, repeated or not in the additional section.
        TruncatedMessageError, BadLabelError, BadPointerError: as their names say.
    """
    if len(message) > MAX_MESSAGE_OCTETS:
        raise CostlyMessageError(f"a response of {len(message)} octets, more than 65535")
    header = peek_header(message)
    if header.qdcount > 1:
        raise BadCountError(f"{header.qdcount} questions")
    cursor = Cursor(message, HEADER_OCTETS)
    budget = Budget(steps_for(len(message)))
    question = None
    if header.qdcount:
        question = read_question(cursor)
        budget.names[HEADER_OCTETS] = question.wire[:-4]
    try:
        records, edns = _walk(cursor, header, budget)
    except (TruncatedMessageError, BadCountError):
        if not header.tc:
            raise
        records, edns = (), None
    return ParsedResponse(header, question, records, edns, message, budget)


def _check_counts(header: Header, size: int) -> None:
    count = header.ancount + header.nscount + header.arcount
    if count * _RECORD_OCTETS > size - HEADER_OCTETS:
        raise BadCountError(f"{count} records cannot stand in {size} octets")
    if count > MAX_RECORDS:
        raise CostlyMessageError(f"{count} records, more than {MAX_RECORDS}")


def _walk(cursor: Cursor, header: Header, budget: Budget) -> tuple[tuple[Record, ...], Edns | None]:
    _check_counts(header, len(cursor.message))
    records: list[Record] = []
    edns: Edns | None = None
    for section, count in enumerate((header.ancount, header.nscount, header.arcount)):
        for left in range(count, 0, -1):
            if section == ADDITIONAL and left == 1 and edns is None:
                edns = parse_plain_edns(cursor.message, cursor.offset)
                if edns is not None:
                    return tuple(records), edns
            record = read_record(cursor, section, budget)
            if record.rtype != _OPT:
                records.append(record)
                continue
            if edns is not None or section != ADDITIONAL:
                raise BadEdnsError("OPT repeated or outside the additional section", record.start)
            edns = parse_edns(cursor.message, record)
    if not cursor.at_end:
        raise BadCountError("octets behind the last record", cursor.offset)
    return tuple(records), edns
