# SPDX-License-Identifier: Apache-2.0
"""Messages that look like the answer to a question but are not.

Each starts as a correct answer with a forger's data, and is wrong in one respect.
"""

from __future__ import annotations

from collections.abc import Callable

Forge = Callable[[bytes], bytes]

_HEADER = 12


def _id(change: Callable[[int], int]) -> Forge:
    return lambda a: (change(int.from_bytes(a[:2])) & 0xFFFF).to_bytes(2) + a[2:]


def _flags(keep: int, put: int) -> Forge:
    def forge(a: bytes) -> bytes:
        return a[:2] + (int.from_bytes(a[2:4]) & keep | put).to_bytes(2) + a[4:]

    return forge


def _opcode(opcode: int) -> Forge:
    return _flags(0x87FF, opcode << 11)


def _count(at: int, count: int) -> Forge:
    return lambda a: a[:at] + count.to_bytes(2) + a[at + 2 :]


def _question_end(a: bytes) -> int:
    return a.index(b"\0", _HEADER) + 5


def _qname(change: Callable[[bytes], bytes]) -> Forge:
    def forge(a: bytes) -> bytes:
        end = _question_end(a) - 4
        return a[:_HEADER] + change(a[_HEADER:end]) + a[end:]

    return forge


def _type_and_class(wire: bytes) -> Forge:
    def forge(a: bytes) -> bytes:
        end = _question_end(a)
        return a[: end - 4] + wire + a[end:]

    return forge


def _error(flags: int) -> Forge:
    """Return a bare header with a response code, as some servers send it."""
    return lambda a: a[:2] + flags.to_bytes(2) + bytes(8)


def _behind_the_question(records: bytes, count: int = 1) -> Forge:
    """Return the question and something in the place of the answer."""

    def forge(a: bytes) -> bytes:
        return a[:6] + count.to_bytes(2) + bytes(4) + a[_HEADER : _question_end(a)] + records

    return forge


def _both(forge: Forge, other: Forge) -> Forge:
    return lambda a: forge(other(a))


def _one_label(name: bytes) -> bytes:
    """Return the name as a single label with dots in it: the same text, another name."""
    text = name[1:-1]
    return bytes((len(text),)) + text.replace(b"\3", b".").replace(b"\7", b".") + b"\0"


_TRUNCATED = _flags(0xFFFF, 0x0200)
_ANOTHER_NAME = _qname(lambda name: name[:1] + bytes((name[1] ^ 1,)) + name[2:])
_A_RECORD = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc6\x12\0\x42"
_OPT = b"\0\0\x29\4\xd0\0\0\0\0\0\0"

FORGERIES: dict[str, Forge] = {
    "the next ID": _id(lambda n: n + 1),
    "the ID before": _id(lambda n: n - 1),
    "ID 0": _id(lambda n: 0 if n else 1),
    "the highest ID": _id(lambda n: 0xFFFF if n != 0xFFFF else 1),
    "the ID in another order of octets": _id(lambda n: (n >> 8 | n << 8) if n % 257 else n + 1),
    "the ID with one bit flipped": _id(lambda n: n ^ 0x0100),
    "the ID with every bit flipped": _id(lambda n: ~n),
    "a query": _flags(0x7FFF, 0),
    "opcode IQUERY": _opcode(1),
    "opcode STATUS": _opcode(2),
    "opcode NOTIFY": _opcode(4),
    "opcode UPDATE": _opcode(5),
    "opcode DSO": _opcode(6),
    "an unknown opcode": _opcode(15),
    "another name": _ANOTHER_NAME,
    "the parent's name": _qname(lambda name: name[name[0] + 1 :]),
    "a child's name": _qname(lambda name: b"\1a" + name),
    "the root's name": _qname(lambda _: b"\0"),
    "the same text in one label": _qname(_one_label),
    "the name as a pointer to itself": _qname(lambda _: b"\xc0\x0c"),
    "the name with a label of an unknown type": _qname(lambda name: b"\x43" + name[1:]),
    "another type": _type_and_class(b"\0\x1c\0\1"),
    "type ANY": _type_and_class(b"\0\xff\0\1"),
    "class CH": _type_and_class(b"\0\1\0\3"),
    "class ANY": _type_and_class(b"\0\1\0\xff"),
    "class NONE": _type_and_class(b"\0\1\0\xfe"),
    "no question": lambda a: _count(4, 0)(a[:_HEADER] + a[_question_end(a) :]),
    "a question that is not counted": _count(4, 0),
    "two questions": lambda a: _count(4, 2)(
        a[: _question_end(a)] + a[_HEADER : _question_end(a)] + a[_question_end(a) :]
    ),
    "as many questions as can be counted": _count(4, 0xFFFF),
    "no octets": lambda _: b"",
    "one octet": lambda a: a[:1],
    "nothing but the ID": lambda a: a[:2],
    "eleven octets": lambda a: a[:11],
    "nothing but the header": lambda a: a[:_HEADER],
    "half a question": lambda a: a[: _HEADER + 5],
    "half of it": lambda a: a[: (len(a) + _question_end(a)) // 2],
    "all but the last octet": lambda a: a[:-1],
    "octets behind the end": lambda a: a + b"\0",
    "more answers than there are": _count(6, 9),
    "as many answers as can be counted": _count(6, 0xFFFF),
    "fewer answers than there are": _count(6, 0),
    "the ID and garbage": lambda a: a[:2] + b"\xff" * 60,
    "the header and garbage": lambda a: a[:_HEADER] + bytes(range(60)),
    "FORMERR without a question": _error(0x8181),
    "SERVFAIL without a question": _error(0x8182),
    "NXDOMAIN without a question": _error(0x8183),
    "REFUSED without a question": _error(0x8185),
    "truncated, for another name": _both(_ANOTHER_NAME, _TRUNCATED),
    "truncated, with another ID": _both(_id(lambda n: n + 1), _TRUNCATED),
    "truncated, without a question": _error(0x8380),
    "truncated, within the question": lambda a: _TRUNCATED(a)[: _HEADER + 5],
    "SERVFAIL for another name": _both(_ANOTHER_NAME, _flags(0xFFF0, 2)),
    "an owner that points to itself": _behind_the_question(b"\xc0\x21" + _A_RECORD[2:]),
    "an owner that points forward": _behind_the_question(b"\xc0\xff" + _A_RECORD[2:]),
    "RDATA longer than the message": _behind_the_question(_A_RECORD[:10] + b"\xff\xff\1\2\3\4"),
    "two OPT records": lambda a: _count(10, 2)(_behind_the_question(_A_RECORD)(a) + _OPT * 2),
    "an OPT record among the answers": _behind_the_question(_A_RECORD + _OPT, 2),
    "more records than any answer has": _behind_the_question((b"\0" + bytes(10)) * 4_097, 4_097),
}
"""By what is wrong with each."""
