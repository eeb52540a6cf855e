# SPDX-License-Identifier: Apache-2.0
"""The sections of a message: the question, and records as places.

There is never more than one question (RFC 1035 §4.1.2, RFC 9619). It is never compressed:
nothing stands before its name, so there is nothing that a pointer in it could honestly point to.

RDATA is not read here: most of it is only ever copied. ``rdata`` reads what
filterd must understand.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import WireError
from filterd.wire.cursor import Cursor, read_name, skip_name
from filterd.wire.header import HEADER_OCTETS, peek_header

if TYPE_CHECKING:
    from filterd.wire.cursor import Budget


_TYPE_AND_CLASS = Struct("!HH")


class Question(NamedTuple):
    """The question of a message.

    ``qname`` is canonical; ``wire`` is the section exactly as it was asked,
    letter case kept, because a stub may compare it with what it sent.
    """

    qname: bytes
    qtype: int
    qclass: int
    wire: bytes

    @classmethod
    def of(cls, qname: bytes, qtype: int, qclass: int = 1) -> Question:
        """Make the question for a canonical name."""
        return cls(qname, qtype, qclass, qname + _TYPE_AND_CLASS.pack(qtype, qclass))


def read_question(cursor: Cursor) -> Question:
    """Read one question at the cursor.

    Raises:
        TruncatedMessageError, BadLabelError: see ``skip_name``.
        BadPointerError: the name is compressed.
    """
    message, start = cursor.message, cursor.offset
    fixed = skip_name(message, start, may_point=False)
    cursor.move_to(fixed + _TYPE_AND_CLASS.size)
    qtype, qclass = _TYPE_AND_CLASS.unpack_from(message, fixed)
    return Question(message[start:fixed].lower(), qtype, qclass, message[start : cursor.offset])


def best_effort_question(message: bytes) -> bytes:
    """Return the question section to echo in an error reply, or nothing."""
    try:
        if peek_header(message).qdcount != 1:
            return b""
        return read_question(Cursor(message, HEADER_OCTETS)).wire
    except WireError:
        return b""


ANSWER, AUTHORITY, ADDITIONAL = range(3)

_FIXED = Struct("!HHIH")
_TTL_SIGN = 0x80000000


class Record(NamedTuple):
    """The place of a record and its fixed fields.

    ``section`` is 0 answer, 1 authority, 2 additional. ``ttl`` is in seconds;
    one with its top bit set means 0 (RFC 2181 §8). Offsets are octets from the
    start of the message. A tuple and not a dataclass: a message may have hundreds.
    """

    owner: bytes
    rtype: int
    rclass: int
    ttl: int
    section: int
    start: int
    ttl_offset: int
    rdata_offset: int
    rdlength: int

    @property
    def end(self) -> int:
        """The offset just past the record."""
        return self.rdata_offset + self.rdlength


def read_record(cursor: Cursor, section: int, budget: Budget) -> Record:
    """Read the record at the cursor and step over it.

    Raises:
        TruncatedMessageError: RDATA runs past the end of the message.
        WireError: the owner is no name (``cursor.expand_name``).
    """
    message, start = cursor.message, cursor.offset
    owner, fixed = read_name(message, start, budget)
    cursor.advance(fixed - start + _FIXED.size)
    rtype, rclass, ttl, rdlength = _FIXED.unpack_from(message, fixed)
    rdata = cursor.advance(rdlength)
    if ttl >= _TTL_SIGN:
        ttl = 0
    return Record(owner, rtype, rclass, ttl, section, start, fixed + 4, rdata, rdlength)
