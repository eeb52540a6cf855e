# SPDX-License-Identifier: Apache-2.0
"""Write and read messages for the oracle, octet by octet, without filterd's code.

This is faster than a library that knows every type; there are hundreds of thousands of
messages. Names are text in lower case without the last dot.
"""

from __future__ import annotations

from struct import pack, unpack_from
from typing import NamedTuple

A, CNAME, SOA, HINFO, TXT, AAAA, OPT, RRSIG, HTTPS, ANY = 1, 5, 6, 13, 16, 28, 41, 46, 65, 255
QR, AA, TC, RD, RA, AD, CD, DO = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010, 0x8000
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
EDE = 15


class Record(NamedTuple):
    """One record; ``rdata`` as it stands in the message."""

    owner: str
    rtype: int
    ttl_s: int
    rdata: bytes
    target: str = ""
    """Of a CNAME."""


class Reply(NamedTuple):
    """A response. ``question`` is its octets; ``options`` by code, None without OPT."""

    octets: int
    ident: int
    flags: int
    question: bytes
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]
    options: tuple[tuple[int, bytes], ...] | None
    opt_flags: int

    @property
    def rcode(self) -> int:
        """The code in the header; no extended one is ever sent to these askers."""
        return self.flags & 15

    @property
    def edes(self) -> set[int]:
        """Codes of the extended errors (RFC 8914)."""
        return {int.from_bytes(data[:2]) for code, data in self.options or () if code == EDE}


def name_octets(name: str) -> bytes:
    """Return an uncompressed name; letters as they are."""
    return b"".join(bytes([len(one)]) + one.encode() for one in name.split(".")) + b"\0"


def question_octets(name: str, qtype: int) -> bytes:
    """Return a question section of class IN."""
    return name_octets(name) + pack("!HH", qtype, 1)


def record_octets(record: Record) -> bytes:
    """Return an uncompressed record of class IN."""
    head = pack("!HHIH", record.rtype, 1, record.ttl_s, len(record.rdata))
    return name_octets(record.owner) + head + record.rdata


def opt_octets(size: int, flags: int = 0, options: bytes = b"") -> bytes:
    """Return an OPT record of version 0."""
    return b"\0" + pack("!HHHHH", OPT, size, 0, flags, len(options)) + options


def message(
    ident: int,
    flags: int,
    question: bytes,
    answer: tuple[Record, ...] = (),
    authority: tuple[Record, ...] = (),
    opt: bytes = b"",
    additional: tuple[Record, ...] = (),
) -> bytes:
    """Return a whole message."""
    counts = 1, len(answer), len(authority), len(additional) + bool(opt)
    records = b"".join(map(record_octets, (*answer, *authority, *additional)))
    return pack("!6H", ident, flags, *counts) + question + records + opt


def read_name(wire: bytes, at: int) -> tuple[str, int]:
    """Return a name and where it ends."""
    labels, end = [], 0
    while length := wire[at]:
        if length >= 0xC0:
            end = end or at + 2
            at = unpack_from("!H", wire, at)[0] & 0x3FFF
        else:
            labels.append(wire[at + 1 : at + 1 + length])
            at += 1 + length
    return b".".join(labels).decode("ascii").lower(), end or at + 1


def read_question(wire: bytes) -> tuple[str, int, int]:
    """Return name and type that are asked for, and where the question section ends."""
    name, end = read_name(wire, 12)
    return name, int.from_bytes(wire[end : end + 2]), end + 4


def has_do(wire: bytes) -> bool:
    """Return whether a query whose only additional record is its OPT wants DNSSEC records."""
    _, _, end = read_question(wire)
    return bool(wire[11]) and bool(wire[end + 7] & 0x80)


def read_reply(wire: bytes) -> Reply:
    """Read a response; raises where it is none that a stub could read."""
    ident, flags, questions, *counts = unpack_from("!6H", wire)
    assert (questions, flags & 0x7800) == (1, 0)
    end = read_question(wire)[2]
    question, at = wire[12:end], end
    sections: list[tuple[Record, ...]] = []
    options, opt_flags = None, 0
    for count in counts:
        records = []
        for _ in range(count):
            owner, at = read_name(wire, at)
            rtype, rclass, ttl_s, length = unpack_from("!HHIH", wire, at)
            at += 10
            rdata = wire[at : at + length]
            assert len(rdata) == length
            if rtype == OPT:
                assert (options, owner, ttl_s >> 16) == (None, "", 0)
                options, opt_flags = _read_options(rdata), ttl_s & 0xFFFF
            else:
                assert rclass == 1
                target = read_name(wire, at)[0] if rtype == CNAME else ""
                records.append(Record(owner, rtype, ttl_s, rdata, target))
            at += length
        sections.append(tuple(records))
    assert at == len(wire)
    answer, authority, additional = sections
    return Reply(at, ident, flags, question, answer, authority, additional, options, opt_flags)


def _read_options(rdata: bytes) -> tuple[tuple[int, bytes], ...]:
    found, at = [], 0
    while at < len(rdata):
        code, length = unpack_from("!HH", rdata, at)
        found.append((code, rdata[at + 4 : at + 4 + length]))
        at += 4 + length
    return tuple(found)
