# SPDX-License-Identifier: Apache-2.0
"""One packet for each anti-pattern of RFC 9267, as a query and as a response.

The sections of that RFC: 2 compression pointers, 3 label and name lengths,
4 NUL termination, 5 RDLENGTH, 6 counts. A packet has the one fault in its name;
everything else about it is correct.
"""

from __future__ import annotations

from struct import pack

from filterd.base.errors import (
    BadCountError,
    BadEdnsError,
    BadLabelError,
    BadPointerError,
    TruncatedMessageError,
    WireError,
)
from filterd.wire import formerr, notimp, parse_query
from filterd.wire.header import OPCODE_MASK, peek_header
from tests.support.wire import OPT, QUESTION, a_message, a_record

_RESPONSE = 0x8180
_A_IN = b"\0\1\0\1"
_LONG = (b"\x3f" + b"a" * 63) * 3
_256 = _LONG + b"\x3e" + b"a" * 62 + b"\0"
_BODY = 12 + len(QUESTION)

QUESTIONS: dict[str, tuple[bytes, type[WireError]]] = {
    "2: a qname that points to itself": (b"\xc0\x0c" + _A_IN, BadPointerError),
    "2: a qname that points forward": (b"\xc0\x20" + _A_IN + bytes(32), BadPointerError),
    "2: a qname that points into the header": (b"\xc0\x00" + _A_IN, BadPointerError),
    "2: a qname whose label is followed by a pointer": (b"\1a\xc0\x0c" + _A_IN, BadPointerError),
    "2: half a pointer": (b"\xc0", BadPointerError),
    "3: a label of type 01": (b"\x41" + b"a" * 65 + b"\0" + _A_IN, BadLabelError),
    "3: a label of type 10": (b"\x81" + b"a" * 129 + b"\0" + _A_IN, BadLabelError),
    "3: a name of 256 octets": (_256 + _A_IN, BadLabelError),
    "3: a label that runs past the end": (b"\x3fabc", TruncatedMessageError),
    "4: a name without its final zero": (b"\7example\3com", TruncatedMessageError),
    "4: a name and nothing more": (b"\7example\3com\0", TruncatedMessageError),
    "6: half a question": (b"\7example\3com\0\0\1\0", TruncatedMessageError),
    "6: no octets for one question": (b"", TruncatedMessageError),
}
"""Question sections and how they are refused, in queries and responses alike."""

OWNERS: dict[str, tuple[bytes, type[WireError]]] = {
    "2: an owner that points to itself": (pack("!H", 0xC000 | _BODY), BadPointerError),
    "2: an owner that points forward": (pack("!H", 0xC000 | _BODY + 4), BadPointerError),
    "2: an owner that points past the message": (b"\xff\xff", BadPointerError),
    "2: an owner that points into the header": (b"\xc0\x04", BadPointerError),
    "2: a label and a pointer back to it": (
        b"\1a" + pack("!H", 0xC000 | _BODY),
        BadPointerError,
    ),
    "3: an owner of type 01": (b"\x41" + b"a" * 65 + b"\0", BadLabelError),
    "3: an owner of type 10": (b"\x81" + b"a" * 129 + b"\0", BadLabelError),
    "3: an owner of 256 octets": (_256, BadLabelError),
    "3: an owner longer than 255 only when expanded": (
        _LONG + b"\x32" + b"a" * 50 + b"\xc0\x0c",
        BadLabelError,
    ),
    "4: an owner that has no end": (b"\x3f" + b"a" * 20, TruncatedMessageError),
}
"""Owner names of the first record behind ``QUESTION``."""

QUERIES: dict[str, tuple[bytes, type[WireError]]] = {
    **{name: (a_message(wire), error) for name, (wire, error) in QUESTIONS.items()},
    **{
        name: (a_message(QUESTION + a_record(b"", owner=owner), arcount=1), error)
        for name, (owner, error) in OWNERS.items()
    },
    "5: OPT longer than the message": (
        a_message(QUESTION + OPT[:-2] + b"\0\x20", arcount=1),
        TruncatedMessageError,
    ),
    "5: OPT with half an option": (
        a_message(QUESTION + OPT[:-2] + b"\0\2\0\3", arcount=1),
        BadEdnsError,
    ),
    "5: an option longer than OPT": (
        a_message(QUESTION + OPT[:-2] + b"\0\5\0\3\0\2a", arcount=1),
        BadEdnsError,
    ),
    "6: no question": (a_message(b"", qdcount=0), BadCountError),
    "6: a question that is not counted": (a_message(QUESTION, qdcount=0), BadCountError),
    "6: two questions": (a_message(QUESTION * 2, qdcount=2), BadCountError),
    "6: an answer in a query": (a_message(QUESTION + a_record(), ancount=1), BadCountError),
    "6: an authority in a query": (a_message(QUESTION + a_record(), nscount=1), BadCountError),
    "6: three additional records": (
        a_message(QUESTION + OPT + a_record() * 2, arcount=3),
        BadCountError,
    ),
    "6: an additional record too few": (a_message(QUESTION, arcount=1), TruncatedMessageError),
    "6: a record that is not counted": (a_message(QUESTION + OPT), BadCountError),
    "6: an octet behind the question": (a_message(QUESTION + b"\0"), BadCountError),
    "6: eleven octets": (a_message(b"")[:11], TruncatedMessageError),
}

RESPONSES: dict[str, tuple[bytes, type[WireError]]] = {
    **{
        name: (a_message(wire, flags=_RESPONSE), error) for name, (wire, error) in QUESTIONS.items()
    },
    **{
        name: (a_message(QUESTION + a_record(owner=owner), flags=_RESPONSE, ancount=1), error)
        for name, (owner, error) in OWNERS.items()
    },
    "5: RDATA longer than the message": (
        a_message(QUESTION + a_record(rdlength=5), flags=_RESPONSE, ancount=1),
        TruncatedMessageError,
    ),
    "5: RDATA shorter than it is": (
        a_message(QUESTION + a_record(rdlength=3), flags=_RESPONSE, ancount=1),
        BadCountError,
    ),
    "5: RDATA that swallows the next record": (
        a_message(QUESTION + a_record(rdlength=20) + a_record(), flags=_RESPONSE, ancount=2),
        TruncatedMessageError,
    ),
    "5: half a record": (
        a_message(QUESTION + a_record()[:9], flags=_RESPONSE, ancount=1),
        TruncatedMessageError,
    ),
    "5: OPT with half an option": (
        a_message(QUESTION + OPT[:-2] + b"\0\2\0\3", flags=_RESPONSE, arcount=1),
        BadEdnsError,
    ),
    "6: two questions": (a_message(QUESTION * 2, flags=_RESPONSE, qdcount=2), BadCountError),
    "6: an answer too few": (
        a_message(QUESTION, flags=_RESPONSE, ancount=1),
        TruncatedMessageError,
    ),
    "6: 65,535 answers": (
        a_message(QUESTION + a_record(), flags=_RESPONSE, ancount=65535),
        BadCountError,
    ),
    "6: a record that is not counted": (
        a_message(QUESTION + a_record() * 2, flags=_RESPONSE, ancount=1),
        BadCountError,
    ),
    "6: eleven octets": (a_message(b"")[:11], TruncatedMessageError),
}


def refusal(message: bytes) -> bytes | None:
    """Return what is answered to what is no query, None for a query that the chain can read.

    Args:
        message: at least the 12 octets of a header.
    """
    if peek_header(message).flags & OPCODE_MASK:
        return notimp(message)
    try:
        parse_query(message)
    except WireError:
        return formerr(message)
    return None
