# SPDX-License-Identifier: Apache-2.0
"""Answers of a lying upstream: truth, forbidden alias, extra records, garbage."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, TypeAlias

from tests.support.packets import mutate, nudge

if TYPE_CHECKING:
    import random

FORBIDDEN = b"\x04porn\x07example\x00"
_WILD = b"\x05alias\x07example\x00"
_QNAME = b"\xc0\x0c"
_A, _CNAME, _SOA, _DNAME, _OPT, _RRSIG, _SVCB, _HTTPS = 1, 5, 6, 39, 41, 46, 64, 65
_ADDRESSES = {_A: b"\xc6\x12\x71\x42", 28: b" \x01\0\2" + bytes(11) + b"\x42"}


def _record(owner: bytes, rtype: int, rdata: bytes, ttl_s: int = 300) -> bytes:
    return owner + pack("!HHIH", rtype, 1, ttl_s, len(rdata)) + rdata


def _data(owner: bytes, qtype: int) -> bytes:
    return _record(owner, qtype, _ADDRESSES.get(qtype, b"\0\1" + _WILD))


_NEGATIVE = _record(_QNAME, _SOA, b"\0\0" + pack("!5I", 1, 2, 3, 4, 60))
_SIGNATURE = pack("!HBBIIIH", _A, 13, 2, 300, 2_000_000_000, 1_700_000_000, 1) + b"\0" + bytes(32)
_EDE = b"\0" + pack("!HHIH", _OPT, 1232, 0, 6 + 3) + b"\0\x0f\0\5\0\x06bad"

_TTLS = (0, 1, 300, 2**31, 2**32 - 1)


_Sections: TypeAlias = tuple[list[bytes], list[bytes], list[bytes]]


def _negative(_: int, __: random.Random) -> _Sections:
    return [], [_NEGATIVE], []


def _forbidden_alias(qtype: int, _: random.Random) -> _Sections:
    return [_record(_QNAME, _CNAME, FORBIDDEN), _data(FORBIDDEN, qtype)], [], []


def _shuffled_chain(qtype: int, rng: random.Random) -> _Sections:
    chain = [_record(_QNAME, _CNAME, _WILD), _record(_WILD, _CNAME, FORBIDDEN.upper())]
    rng.shuffle(chain)
    return [*chain, _data(FORBIDDEN, qtype)], [], []


def _forbidden_binding(qtype: int, rng: random.Random) -> _Sections:
    binding = pack("!H", rng.randrange(3)) + FORBIDDEN
    return [_record(_QNAME, rng.choice((_SVCB, _HTTPS, qtype)), binding)], [], []


def _loop(_: int, __: random.Random) -> _Sections:
    return [_record(_QNAME, _CNAME, _QNAME)], [], []


def _unsolicited(qtype: int, _: random.Random) -> _Sections:
    extra = [_data(FORBIDDEN, _A), _record(b"\0", _DNAME, FORBIDDEN)]
    return [_data(_QNAME, qtype)], extra, [*extra, _EDE]


def _signed(qtype: int, _: random.Random) -> _Sections:
    return [_data(_QNAME, qtype), _record(_QNAME, _RRSIG, _SIGNATURE)], [], [_EDE]


def _plain(qtype: int, rng: random.Random) -> _Sections:
    record = _record(_QNAME, qtype, _ADDRESSES.get(qtype, b""), rng.choice(_TTLS))
    return [record] * rng.choice((1, 1, 2, 40)), [], []


_KINDS = (
    _negative,
    _forbidden_alias,
    _shuffled_chain,
    _forbidden_binding,
    _loop,
    _unsolicited,
    _signed,
    _plain,
    _plain,
)


def a_lie(qname: bytes, qtype: int, rng: random.Random, message_id: bytes = b"\0\0") -> bytes:
    """Return an answer to a question, which may well be none.

    Args:
        qname: as the question has it, uncompressed.
        qtype: what it asks for.
        rng: decides.
        message_id: of the query.
    """
    answer, authority, additional = rng.choice(_KINDS)(qtype, rng)
    rcode = rng.choice((0, 0, 0, 0, 3, 2, 1, 5))
    counts = pack("!HHHH", 1, len(answer), len(authority), len(additional))
    question = qname + pack("!HH", qtype, 1)
    header = message_id + pack("!H", 0x8180 | rcode) + counts
    honest = b"".join((header, question, *answer, *authority, *additional))
    kind = rng.random()
    if kind < 0.5:
        return honest
    return nudge(honest, rng) if kind < 0.8 else mutate(honest, rng)
