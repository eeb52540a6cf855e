# SPDX-License-Identifier: Apache-2.0
"""Compare two answers to one question, field by field.

The fields are those of respdiff (opcode, rcode, flags, question, RRsets by
section, signatures) and TTLs, the order of aliases, EDNS and extended errors.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    Key: TypeAlias = tuple[bytes, int, int]
    """Owner in canonical wire form, type, and for RRSIG the type that it covers."""
    RRsets: TypeAlias = Mapping[Key, frozenset[bytes]]

FLAGS = {
    "AA": dns.flags.AA,
    "RD": dns.flags.RD,
    "RA": dns.flags.RA,
    "AD": dns.flags.AD,
    "CD": dns.flags.CD,
    "TC": dns.flags.TC,
}
_OTHER_FLAGS = 0x8040  # QR, and the one that must be zero


@dataclass(frozen=True, slots=True)
class Said:
    """What a server said. ``ttls`` and RRsets are of answer and authority alike."""

    opcode: int
    rcode: int
    flags: int
    question: bytes
    answer: RRsets
    authority: RRsets
    additional: RRsets
    answer_records: int
    ttls: Mapping[Key, int]
    aliases: tuple[bytes, ...]
    edns: tuple[int, int, int] | None
    """Version, flags, payload."""
    edes: frozenset[int]

    def flag(self, name: str) -> bool:
        """Return whether a flag is set."""
        return bool(self.flags & FLAGS[name])


def said(wire: bytes) -> Said:
    """Read a response.

    Raises:
        dns.exception.DNSException: it is none.
    """
    message = dns.message.from_wire(wire)
    options = message.options
    return Said(
        opcode=int(message.opcode()),
        rcode=int(message.rcode()),
        flags=message.flags,
        question=_question(wire, message),
        answer=_rrsets(message.answer),
        authority=_rrsets(message.authority),
        additional=_rrsets(message.additional),
        answer_records=int.from_bytes(wire[6:8]),
        ttls={_key(one): one.ttl for one in (*message.answer, *message.authority)},
        aliases=tuple(
            _canonical(one.name)
            for one in message.answer
            if one.rdtype in (dns.rdatatype.CNAME, dns.rdatatype.DNAME)
        ),
        edns=(message.edns, message.ednsflags & 0xFFFF, message.payload)
        if message.edns >= 0
        else None,
        edes=frozenset(int(o.code) for o in options if isinstance(o, dns.edns.EDEOption)),
    )


def _question(wire: bytes, message: dns.message.Message) -> bytes:
    """Return the question section octet by octet, letter case and all."""
    if not message.question:
        return b""
    size = len(message.question[0].name.to_wire() or b"") + 4
    return wire[12 : 12 + size]


def _canonical(name: dns.name.Name) -> bytes:
    return name.canonicalize().to_wire() or b""


def _key(rrset: dns.rrset.RRset) -> Key:
    return _canonical(rrset.name), int(rrset.rdtype), int(rrset.covers)


def _rrsets(section: Iterable[dns.rrset.RRset]) -> RRsets:
    """Merge what dnspython keeps apart; RDATA is compared in canonical form."""
    merged: dict[Key, set[bytes]] = defaultdict(set)
    for rrset in section:
        merged[_key(rrset)].update(rdata.to_digestable() for rdata in rrset)
    return {key: frozenset(found) for key, found in merged.items()}


def differing(direct: Said, through: Said) -> list[str]:
    """Return the names of the fields in which two answers differ; TTLs are judged apart."""
    fields = ["opcode", "rcode", "question", "answer", "authority", "additional", "aliases"]
    found = [field for field in fields if getattr(direct, field) != getattr(through, field)]
    found += [name for name in FLAGS if direct.flag(name) is not through.flag(name)]
    if direct.flags & _OTHER_FLAGS != through.flags & _OTHER_FLAGS:
        found.append("flags")
    if direct.answer == through.answer and direct.answer_records != through.answer_records:
        found.append("answer")
    if direct.edns != through.edns:
        found.append("edns")
    if direct.edes != through.edes:
        found.append("edes")
    return found
