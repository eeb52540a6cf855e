# SPDX-License-Identifier: Apache-2.0
"""Seeded questions about lab zones, of all types, flags and transports."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KNOWN_TYPES = [int(one) for one in dns.rdatatype.RdataType]
_SIZES = (0, 511, 512, 1232, 1400, 4096, 65535)
_MOST_OCTETS = 255
_BENEATH = ("nx", "www", "_dmarc", "*", "a.b")
_SPECIAL = (
    *(
        "any.wild",
        "x.y.wild",
        "not.wild",
        "q.alias",
        "Q.r.ALIAS",
        "alias",
        "wild",
        "ent",
        "DEEP.ent",
    ),
    *("here.moved", "gone.moved", "deep.here.moved", "moved", "all.moved-to", "chain10", "chain11"),
    *("big-a", "bigger-a", "big-srv", "biggest-aaaa", "big-txt", "huge-txt", "big-mx", "to-big"),
)
"""Beneath each zone: names that are answered although no record has them, or have a hard answer."""

_ELSEWHERE = (
    *("nope.example", "Outside.example", "a.b.c.nope.example", "."),
    *("localhost", "printer.local", "1.1.168.192.in-addr.arpa", "single", "wpad.lab.example"),
    *("use-application-dns.net", "_dns.resolver.arpa", "x.onion", "home.arpa", "ipv4only.arpa"),
)


@dataclass(frozen=True, slots=True)
class LabQuestion:
    """One query, and how it is sent."""

    name: dns.name.Name
    qtype: int
    wire: bytes
    by_tcp: bool

    @property
    def flags(self) -> int:
        """The header's flags."""
        return int.from_bytes(self.wire[2:4])

    @property
    def do(self) -> bool:
        """Whether it asks for DNSSEC records: the flag is in the last OPT of a fixed shape."""
        return (
            len(self.wire) > 23 and self.wire[-11:-8] == b"\0\0\x29" and bool(self.wire[-4] & 128)
        )

    @property
    def has_opt(self) -> bool:
        """Whether it has an OPT."""
        return self.wire[11] == 1

    def __str__(self) -> str:
        text = dns.message.from_wire(self.wire).to_text().splitlines()
        return " | ".join([*text, "by TCP" if self.by_tcp else "by UDP"])


class LabQuestions:
    """Draws questions; the same seed draws the same."""

    def __init__(self, zones: Iterable[dns.zone.Zone], seed: int) -> None:
        self._rng = random.Random(seed)
        zones = list(zones)
        self._owners = [
            (name, [int(rdataset.rdtype) for rdataset in node.rdatasets])
            for zone in zones
            for name, node in zone.nodes.items()
        ]
        self._others = [dns.name.from_text(text) for text in _ELSEWHERE] + [
            dns.name.from_text(text, zone.origin) for zone in zones for text in _SPECIAL
        ]

    def draw(self, count: int) -> Iterator[LabQuestion]:
        """Yield that many questions."""
        for _ in range(count):
            name, types = self._name()
            if self._rng.random() < 0.3:
                name = self._recase(name)
            qtype = self._type(types)
            wire = self._query(name, qtype)
            yield LabQuestion(name, qtype, wire, self._rng.random() < 0.15)

    def _name(self) -> tuple[dns.name.Name, list[int]]:
        rng = self._rng
        name, types = rng.choice(self._owners)
        kind = rng.random()
        if kind < 0.12:
            return rng.choice(self._others), [1, 16, 28, 15, 33]
        if kind < 0.2:
            beneath = dns.name.from_text(rng.choice(_BENEATH), None)
            if len(name.to_wire() or b"") + len(beneath.labels) + 5 <= _MOST_OCTETS:
                return beneath.concatenate(name), types
        return name, types

    def _type(self, types: list[int]) -> int:
        kind = self._rng.random()
        if kind < 0.65:
            return self._rng.choice(types)
        return self._rng.choice(_KNOWN_TYPES) if kind < 0.87 else self._rng.randrange(1, 65536)

    def _query(self, name: dns.name.Name, qtype: int) -> bytes:
        rng = self._rng
        query = dns.message.make_query(
            name, dns.rdatatype.RdataType.make(qtype), id=rng.randrange(65536)
        )
        flags = {dns.flags.RD: 0.97, dns.flags.CD: 0.2, dns.flags.AD: 0.2}
        query.flags = sum(flag for flag, share in flags.items() if rng.random() < share)
        if rng.random() < 0.75:
            do = dns.flags.DO if rng.random() < 0.4 else 0
            query.use_edns(0, do, rng.choice(_SIZES))
        return query.to_wire()

    def _recase(self, name: dns.name.Name) -> dns.name.Name:
        return dns.name.Name([bytes(map(self._swap, label)) for label in name.labels])

    def _swap(self, octet: int) -> int:
        is_letter = 65 <= octet & 0xDF <= 90
        return octet ^ 0x20 if is_letter and self._rng.random() < 0.5 else octet
