# SPDX-License-Identifier: Apache-2.0
"""The question section (RFC 1035 §4.1.2): one question, never compressed.

RFC 9619 says that there is never more than one, and since nothing stands before
its name there is nothing that a pointer in it could honestly point to.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from filterd.errors import WireError
from filterd.wire.compression import skip_name
from filterd.wire.cursor import Cursor
from filterd.wire.header import HEADER_OCTETS, peek_header

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
