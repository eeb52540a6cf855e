# SPDX-License-Identifier: Apache-2.0
"""A zone of about a thousand records of all types, with difficult answers.

Beside a plain host for every RDATA there are: several types at a name, TTLs from 0 to
the largest, upper-case owner names, names of 255 octets and of octets that are no
letters, wildcards, chains of CNAMEs that end well, end nowhere, leave the zone or
loop, a DNAME, RRsets that do not fit a datagram, and empty non-terminals.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import dns.name
import dns.rdata
import dns.rdatatype
import dns.zone
import dns.zonetypes

from tests.support.record_types import TEXTS, teach_old_types

if TYPE_CHECKING:
    from collections.abc import Iterator

TTLS = (0, 1, 2, 30, 300, 600, 601, 3600, 86_400, 604_800, 2_147_483_647)
_HOSTS = 120
_LONGEST_CHAIN = 10  # one more than Unbound follows would be its own failure and not ours
_MOST_OCTETS = 255


def lab_zone(origin: str, seed: int = 1) -> dns.zone.Zone:
    """Return the zone; another seed gives other TTLs."""
    teach_old_types()
    rng = random.Random(seed)
    apex = dns.name.from_text(origin)
    zone = dns.zone.Zone(apex, relativize=False)
    with zone.writer() as txn:
        for owner, ttl, rtype, text in _records(rng, apex):
            name = dns.name.from_text(owner, apex) if isinstance(owner, str) else owner
            rdata = dns.rdata.from_text("IN", rtype, text, apex, relativize=False)
            txn.add(name, ttl, rdata)
    return zone


def _records(
    rng: random.Random, apex: dns.name.Name
) -> Iterator[tuple[str | dns.name.Name, int, str, str]]:
    yield "@", 3600, "SOA", "ns root 1 7200 900 1209600 300"
    yield "@", 3600, "NS", "ns"
    yield "@", 3600, "NS", "Ns2"
    yield "@", 60, "MX", "10 host0"
    yield from _every_rdata(rng)
    for owner in ("ns", "Ns2", "cache-host.deep.ENT"):
        yield owner, 3600, "A", "198.18.0.53"
    for number in range(_HOSTS):
        ttl = rng.choice(TTLS)
        yield f"host{number}", ttl, "A", f"198.18.51.{number % 254 + 1}"
        yield f"host{number}", rng.choice(TTLS), "AAAA", f"2001:2::{number:x}"
    for odd in _odd_names(apex):
        yield odd, 300, "A", "198.18.0.9"
        yield odd, 300, "TXT", '"odd"'
    yield from _aliases()
    yield from _wildcards()
    yield from _big_rrsets()


def _every_rdata(rng: random.Random) -> Iterator[tuple[str, int, str, str]]:
    for rtype, texts in TEXTS.items():
        for number, text in enumerate(texts):
            yield f"{rtype}-{number}", rng.choice(TTLS), rtype, text
            yield f"{rtype.lower()}", 300, rtype, text
        if (
            rtype != "DS"
        ):  # Unbound asks a DS of the parent's side, which a name of all types is not
            yield "all-types", 300, rtype, texts[0]


def _odd_names(apex: dns.name.Name) -> Iterator[dns.name.Name]:
    """Yield names of odd octets, and names as long as names can be."""
    labels = (
        b"a.b",
        b"\0",
        b"\xff\xfe",
        b" ",
        b"*x",
        b"a*",
        b'"',
        b"(;@$)",
        b"\\",
        b"_x._y",
        b"\n",
    )
    for label in (*labels, b"A" * 63, b"-", b"0", b"xn--tr-yia.vn", bytes(range(60))):
        yield dns.name.Name((label, *apex.labels))
    room = _MOST_OCTETS - len(apex.to_wire() or b"")
    for filling in (b"long", b"LONG", b"\xc3\xa0x"):
        octets = (filling * 64)[: room - 3 * 64 - 1]
        yield dns.name.Name((octets, *[(filling * 16)[:63]] * 3, *apex.labels))
    yield dns.name.Name((*[b"x"] * (room // 2), *apex.labels))


def _aliases() -> Iterator[tuple[str, int, str, str]]:
    for number in range(1, _LONGEST_CHAIN + 1):
        target = "host1" if number == 1 else f"Chain{number - 1}"
        yield f"chain{number}", 300 + number, "CNAME", target
    yield "to-nowhere", 300, "CNAME", "no-such-host"
    yield "to-no-address", 300, "CNAME", "txt"
    yield "to-outside", 300, "CNAME", "outside.example."
    yield "to-other-zone", 300, "CNAME", "host2.other.example."
    yield "to-wildcard", 300, "CNAME", "any.wild"
    yield "to-big", 300, "CNAME", "big-txt"
    yield "moved", 300, "DNAME", "all.moved-to"
    yield "here.all.moved-to", 300, "A", "198.18.0.66"
    yield "here.all.moved-to", 300, "TXT", '"moved"'


def _wildcards() -> Iterator[tuple[str, int, str, str]]:
    yield "*.wild", 300, "A", "198.18.0.7"
    yield "*.wild", 60, "TXT", '"wild"'
    yield "*.wild", 60, "MX", "10 host1"
    yield "not.wild", 60, "TXT", '"no wildcard"'
    yield "*.alias", 300, "CNAME", "host3"


def _big_rrsets() -> Iterator[tuple[str, int, str, str]]:
    for number in range(40):
        yield "big-a", 300, "A", f"198.18.113.{number + 1}"
    for number in range(90):
        yield "bigger-a", 300, "A", f"198.18.51.{number + 1}"
        yield "big-srv", 300, "SRV", f"1 {number} 80 host{number % 3}"
    for number in range(120):
        yield "biggest-aaaa", 300, "AAAA", f"2001:2::{number + 1:x}"
    for number in range(12):
        yield "big-txt", 300, "TXT", f'"{number}{"x" * 200}"'
    for number in range(160):
        yield "huge-txt", 300, "TXT", f'"{number}{"y" * 240}"'
    for number in range(30):
        yield "big-mx", 300, "MX", f"{number} Mail{number}.host"
