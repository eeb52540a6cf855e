# SPDX-License-Identifier: Apache-2.0
"""A resource record as a place in its message (RFC 1035 §4.1.3).

RDATA is not read here: most of it is only ever copied. ``rdata`` reads what
filterd must understand.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.wire.compression import read_name

if TYPE_CHECKING:
    from filterd.wire.cursor import Budget, Cursor

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
        WireError: the owner is no name (``compression.expand_name``).
    """
    message, start = cursor.message, cursor.offset
    owner, fixed = read_name(message, start, budget)
    cursor.advance(fixed - start + _FIXED.size)
    rtype, rclass, ttl, rdlength = _FIXED.unpack_from(message, fixed)
    rdata = cursor.advance(rdlength)
    if ttl >= _TTL_SIGN:
        ttl = 0
    return Record(owner, rtype, rclass, ttl, section, start, fixed + 4, rdata, rdlength)
