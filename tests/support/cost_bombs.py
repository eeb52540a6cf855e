# SPDX-License-Identifier: Apache-2.0
"""Expensive messages, after RFC 9267 and the security history of other servers.

Each is as large as its transport allows, or as small as it can be and still expensive.
``RESPONSES`` target the walk over records and its later users, ``QUERIES`` the parser
of queries; tests send every bomb to both.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from tests.support.wire import OPT, QUESTION, a_message, a_record

if TYPE_CHECKING:
    from collections.abc import Iterable

TCP_MAX = 65535
RECORDS = 256
"""More than any name server puts into a datagram; some have as many as a message holds."""

_ROOT = b"\0"
_RESPONSE = 0x8180
_DEEP = b"\1a" * 126 + b"\0"
"""126 labels: 253 octets, the deepest name there is room for beside one more label."""
_BODY_START = 12 + len(QUESTION)


def _pointer(target: int) -> bytes:
    return pack("!H", 0xC000 | target)


def _answers(records: Iterable[bytes], *, lead: bytes = QUESTION) -> bytes:
    listed = list(records)
    return a_message(lead + b"".join(listed), flags=_RESPONSE, ancount=len(listed))


def _chain(pointers: int, records: int) -> bytes:
    """Return a record whose RDATA is a chain of pointers, and records owned by its end."""
    start = _BODY_START + 12
    links = [_pointer(12)] + [_pointer(start + 2 * i) for i in range(pointers - 1)]
    holder = a_record(b"".join(links), rtype=10)
    last = _pointer(start + 2 * (pointers - 1))
    return _answers([holder] + [a_record(owner=last)] * records)


def _fan(pointers: int, records: int) -> bytes:
    """Like a chain, but every record enters it at another place."""
    start = _BODY_START + 12
    links = [_pointer(12)] + [_pointer(start + 2 * i) for i in range(pointers - 1)]
    owners = [_pointer(start + 2 * (pointers - 1 - i)) for i in range(records)]
    return _answers([a_record(b"".join(links), rtype=10), *(a_record(owner=o) for o in owners)])


def _ladder(records: int) -> bytes:
    """Every owner points to the owner before it."""
    size = len(a_record())
    owners = [_pointer(12)] + [_pointer(_BODY_START + size * i) for i in range(records - 1)]
    return _answers(a_record(owner=owner) for owner in owners)


def _growing(records: int) -> bytes:
    """Every owner is one label longer than the one before, which it points to."""
    size = len(a_record()) + 2
    owners = [b"\1a" + _pointer(12)]
    owners += [b"\1a" + _pointer(_BODY_START + size * i) for i in range(records - 1)]
    return _answers(a_record(owner=owner) for owner in owners)


def _crown(records: int) -> bytes:
    """One deep name, and owners that put a label of their own before it."""
    first = a_record(owner=_DEEP)
    owners = [b"\1" + bytes([i & 0xFF]) + _pointer(_BODY_START) for i in range(records - 1)]
    return _answers([first, *(a_record(owner=owner) for owner in owners)])


def _named(rtype: int, lead: bytes, name: bytes, tail: bytes = b"", names: int = 1) -> bytes:
    """Return as many records of a type that holds names as fit."""
    record = a_record(lead + name * names + tail, rtype=rtype)
    return _answers([record] * min(RECORDS, (TCP_MAX - 64) // len(record)))


def _https(params: bytes, records: int = 1) -> bytes:
    return _answers([a_record(b"\0\1\0" + params, rtype=65)] * records)


def _params(count: int, first: int = 0) -> bytes:
    return b"".join(pack("!HH", first + i, 0) for i in range(count))


def _with_opt(rdata: bytes, flags: int = 0x0100) -> bytes:
    opt = OPT[:-2] + pack("!H", len(rdata)) + rdata
    return a_message(QUESTION + opt, flags=flags, arcount=1)


def _deep_question(times: int) -> bytes:
    """Return a question for a name of 127 labels, and others that point to it."""
    pointers = b"\xc0\x0c\0\1\0\1" * (times - 1)
    return a_message(b"\1a" * 127 + b"\0\0\1\0\1" + pointers, qdcount=times)


QUERIES: dict[str, bytes] = {
    "a deep question": _deep_question(1),
    "150 deep questions": _deep_question(150),
    "10,800 deep questions, 64 kB": _deep_question(10_800),
    "3,800 questions, 64 kB": a_message(QUESTION * 3800, qdcount=3800),
    "counts of 65,535 and nothing behind": a_message(
        b"", qdcount=65535, ancount=65535, nscount=65535, arcount=65535
    ),
    "one question, counts of 65,535": a_message(QUESTION, ancount=65535, arcount=65535),
    "15,000 empty options": _with_opt(pack("!HH", 65001, 0) * 15_000),
    "1,000 empty options, 4 kB": _with_opt(pack("!HH", 65001, 0) * 1_000),
    "15,000 empty options from upstream": _with_opt(pack("!HH", 65001, 0) * 15_000, _RESPONSE),
    "32 options of 2 kB": _with_opt((pack("!HH", 65001, 2000) + bytes(2000)) * 32, _RESPONSE),
    "one option of 64 kB": _with_opt(pack("!HH", 65001, 65000) + bytes(65000), _RESPONSE),
    "10,000 extended errors": _with_opt(pack("!HHH", 15, 2, 17) * 10_000, _RESPONSE),
    "an extended error of 64 kB": _with_opt(pack("!HHH", 15, 65000, 17) + b"x" * 64998, _RESPONSE),
    "5,900 OPT records": a_message(QUESTION + OPT * 5900, arcount=5900),
    "two OPT records": a_message(QUESTION + OPT * 2, arcount=2),
    "350 OPT records, 4 kB": a_message(QUESTION + OPT * 350, arcount=350),
    "64 kB of nothing behind the question": a_message(QUESTION + bytes(65000)),
    "a name of 64 kB": a_message(b"\1a" * 32_000 + b"\0\0\1\0\1"),
    "a name of 63-octet labels, 64 kB": a_message((b"\x3f" + b"a" * 63) * 1000),
    "additional owners of a long pointer chain": a_message(
        QUESTION
        + a_record(b"".join(_pointer(_BODY_START - 2 + 12 + 2 * i) for i in range(1900)), rtype=10)
        + a_record(owner=_pointer(_BODY_START + 12 + 3798)),
        arcount=2,
    ),
}

RESPONSES: dict[str, bytes] = {
    "chain of 250 pointers, 50 records": _chain(250, 50),
    "chain of 900 pointers, 160 records": _chain(900, 160),
    "chain of 900 pointers, 255 records": _chain(900, 255),
    "chain of 900 pointers, 4,800 records": _chain(900, 3900),
    "chain of 1,000 pointers, 1 record": _chain(1000, 1),
    "chain of 2,040 pointers, 1 record": _chain(2040, 1),
    "chain of 8,000 pointers, 255 records": _chain(8000, 255),
    "every entrance of a chain of 255": _fan(255, 255),
    "every entrance of a chain of 2,000": _fan(2000, 255),
    "a ladder of owners": _ladder(RECORDS),
    "owners that grow by a label": _growing(RECORDS),
    "owners that grow by a label, as many as fit": _growing(100),
    "a label each before a deep name": _crown(RECORDS),
    "deep owners": _answers([a_record(owner=_DEEP)] * 230),
    "as many deep owners as the budget allows": _answers([a_record(owner=_DEEP)] * 16),
    "owners of 5 labels": _answers([a_record(owner=b"\1a" * 5 + b"\0")] * RECORDS),
    "owners that are never the same": _answers(
        a_record(owner=b"\2%b\3www\3net\0" % pack("!H", i)) for i in range(RECORDS)
    ),
    "root owners, 5,900": _answers([a_record(b"", owner=_ROOT)] * 5900),
    "root owners, as many as are taken": _answers([a_record(b"", owner=_ROOT)] * RECORDS),
    "addresses, as many as are taken": _answers([a_record()] * RECORDS),
    "two RRsets interleaved": _answers([a_record(), a_record(rtype=16)] * (RECORDS // 2)),
    "nested RRsets": _answers(
        a_record(rtype=256 + min(i, RECORDS - 1 - i)) for i in range(RECORDS)
    ),
    "one TXT of 65,000 empty strings": _answers([a_record(bytes(65000), rtype=16)]),
    "256 TXT of 150 empty strings": _answers([a_record(bytes(150), rtype=16)] * RECORDS),
    "CNAMEs to deep names": _named(5, b"", _DEEP),
    "CNAMEs to the qname": _named(5, b"", _pointer(12)),
    "CNAMEs into the qname": _named(5, b"", _pointer(20)),
    "CNAMEs to 5 labels": _named(5, b"", b"\1a" * 5 + _pointer(12)),
    "NS to deep names": _named(2, b"", _DEEP),
    "SOAs of deep names": _named(6, b"", _DEEP, bytes(20), names=2),
    "MX to deep names": _named(15, b"\0\1", _DEEP),
    "SRV to the longest names": _named(33, bytes(6), (b"\x3e" + b"a" * 62) * 4 + b"\0"),
    "SRV to one long name far away": _answers(
        [a_record((b"\x3e" + b"a" * 62) * 4 + b"\0", rtype=5)]
        + [a_record(bytes(6) + _pointer(_BODY_START + 12), rtype=33)] * (RECORDS - 1)
    ),
    "PX of two deep names": _named(26, b"\0\1", _DEEP, names=2),
    "NAPTR with long strings": _named(35, bytes(4) + (b"\x32" + b"x" * 50) * 3, _pointer(12)),
    "RP to 5 labels": _named(17, b"", b"\1a" * 5 + _pointer(12), names=2),
    "one HTTPS of 16,000 parameters": _https(_params(16_000)),
    "one HTTPS of 2,000 parameters": _https(_params(2_000)),
    "256 HTTPS of 35 parameters": _https(_params(35, 8), RECORDS),
    "256 HTTPS of 5 parameters": _https(_params(5, 8), RECORDS),
    "one HTTPS of 16,000 hints": _https(pack("!HH", 4, 64000) + bytes(64000)),
    "one HTTPS of 2,000 hints": _https(pack("!HH", 4, 8000) + bytes(8000)),
    "HTTPS to deep targets": _answers([a_record(b"\0\1" + _DEEP, rtype=65)] * 240),
    "nothing but pointers": a_message(b"\xc0" * 65000, flags=_RESPONSE, ancount=RECORDS),
    "nothing but zeros": a_message(bytes(65000), flags=_RESPONSE, qdcount=0, ancount=RECORDS),
    "nothing but ones": a_message(b"\1" * 65000, flags=_RESPONSE, qdcount=0, ancount=RECORDS),
    "nothing but full labels": a_message(b"\x3f" * 65000, flags=_RESPONSE, ancount=RECORDS),
    "nothing but 255": a_message(b"\xff" * 65000, flags=_RESPONSE, ancount=RECORDS),
    "a label each before a deep name, 3,900": _crown(3900),
    "a ladder of owners, 4,000": _ladder(4000),
    "4,000 signatures": _answers([a_record(bytes(4), owner=_ROOT, rtype=250)] * 4000),
}
