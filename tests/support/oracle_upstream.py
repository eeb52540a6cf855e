# SPDX-License-Identifier: Apache-2.0
"""The answers of the oracle's upstreams, and a record of all of them.

Each answer has a unique number in its address, text or SOA, by which it is recognised
in a reply to a client. Nothing is taken back: an answer stays valid for its TTL.
``oracle_servers`` decides which server sends it, how and when.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from struct import pack
from typing import TYPE_CHECKING, NamedTuple

from tests.support import oracle_messages as wire
from tests.support.oracle_messages import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.oracle_messages import Reply

LONGEST_TTL_S, LONGEST_NEGATIVE_TTL_S = 86_400, 3_600
LARGEST_BY_UDP = 1_232
OPT_OCTETS = 11
"""Without options."""

_FIRST = 1 << 20
_NETWORK = 0xC6120000  # 198.18.0.0/15, for benchmarks
_AT_HOME = 0x0A000000  # 10.0.0.0/8, private
_TYPES = (wire.A, wire.AAAA, wire.TXT, wire.HTTPS)
_SIGNATURE = b"\0" + b"s" * 64
_ECH = pack("!HH", 5, 4) + b"key!"


class Home(StrEnum):
    """Which of the addresses that are said of a name are private ones."""

    NONE = ""
    SOME = "some"
    ALL = "all"


class Saying(NamedTuple):
    """The answer for a name. ``kind``: data, big, huge, exact, nodata, nxdomain or alias.

    ``target``: of the alias, or of service bindings. ``no_soa``: a denial that
    has no negative TTL. ``octets``: of a reply in which it is exact,
    with a bare OPT record. ``ech``: service bindings have a key for it.
    """

    kind: str = "data"
    ttl_s: int = 300
    target: str = ""
    no_soa: bool = False
    home: Home = Home.NONE
    ech: bool = False
    octets: int = 0


class Key(NamedTuple):
    """The key of an answer. ``whom``: the zone whose own servers are asked, or empty."""

    name: str
    qtype: int
    do: bool
    cd: bool
    whom: str = ""


@dataclass(frozen=True, eq=False)
class UpstreamAnswer:
    """A given answer. ``order`` is its place among all events; ``at`` is monotonic.
    ``by`` is the server's number, ``octets`` the size of the whole in capitals:
    without any compression. ``exact``: see ``Saying``.
    """

    key: Key
    serial: int
    by: int
    order: int
    at: float
    ttl_s: int
    rcode: int
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]
    targets: tuple[str, ...]
    authentic: bool
    octets: int
    exact: int = 0


@dataclass(eq=False)
class Heard:
    """A question that came.

    ``is_answered``: it was answered before the client gave up; ``referred``: to TCP.

    ``send`` sends a message back, and returns whether it may still be read.
    """

    key: Key
    order: int
    at: float
    wire: bytes
    by: int
    send: Callable[[bytes], bool]
    by_tcp: bool = False
    is_answered: bool = False
    referred: bool = False

    @property
    def in_vain(self) -> bool:
        """Whether nothing came of it."""
        return not (self.is_answered or self.referred)


@dataclass
class Upstream:
    """All that was asked and said.

    Args:
        now: monotonic time.
        order: counts all that happens.
    """

    now: Callable[[], float]
    order: Callable[[], int]
    sayings: dict[str, Saying] = field(default_factory=dict)
    answers: dict[Key, list[UpstreamAnswer]] = field(default_factory=dict)
    by_serial: dict[int, UpstreamAnswer] = field(default_factory=dict)
    heard: dict[Key, list[Heard]] = field(default_factory=dict)

    def say(self, name: str, saying: Saying) -> None:
        """Change the answer of a name from now on, unless it would lead back to itself."""
        target = saying.target if saying.kind == "alias" else ""
        while target and target != name:
            further = self.saying(target)
            target = further.target if further.kind == "alias" else ""
        if not target:
            self.sayings[name] = saying

    def saying(self, name: str) -> Saying:
        """Return what is said of a name; of ``n7.example`` the same as of ``example``."""
        first, _, rest = name.partition(".")
        if name not in self.sayings and first[0] == "n" and first[1:].isdecimal():
            return self.saying(rest)
        return self.sayings.get(name, Saying())

    def note(self, answer: UpstreamAnswer) -> None:
        """Note what is said now."""
        self.answers.setdefault(answer.key, []).append(answer)
        self.by_serial[answer.serial] = answer

    def found_in(self, reply: Reply) -> UpstreamAnswer | None:
        """Return what of all that was said is repeated in a reply."""
        for record in (*reply.authority, *reversed(reply.answer)):
            answer = self.by_serial.get(_serial_in(record))
            if answer is not None:
                return answer
        return None

    def compose(self, heard: Heard, *, authentic: bool) -> UpstreamAnswer:
        """Return what is true at this moment."""
        key, serial = heard.key, _FIRST + len(self.by_serial)
        name, records, targets = key.name, list[Record](), list[str]()
        saying = self.saying(name)
        while saying.kind == "alias":
            rdata = wire.name_octets(saying.target)
            records.append(Record(name, wire.CNAME, saying.ttl_s, rdata, saying.target))
            if key.do:
                records.append(_signature(name, wire.CNAME, saying.ttl_s))
            name = saying.target
            targets.append(name)
            saying = self.saying(name)
        rcode = wire.NXDOMAIN if saying.kind == "nxdomain" else 0
        authority: tuple[Record, ...] = ()
        if rcode or saying.kind == "nodata" or key.qtype not in _TYPES:
            if not saying.no_soa:
                authority = (_soa(name, saying.ttl_s, serial),)
        else:
            records += _data(key._replace(name=name), saying, serial)
            if key.do:
                records.append(_signature(name, key.qtype, saying.ttl_s))
            if key.qtype == wire.HTTPS and saying.target:
                targets.append(saying.target)
        glue = (Record(f"ns.{key.whom}", wire.A, saying.ttl_s, b"\n\0\0\1"),) if key.whom else ()
        negative = not any(record.rtype == key.qtype for record in records)
        ttls = [one.ttl_s for one in (*records, *authority, *glue)]
        longest = LONGEST_NEGATIVE_TTL_S if negative else LONGEST_TTL_S
        ttl_s = 0 if negative and not authority else min(LONGEST_TTL_S, *ttls, longest)
        question = wire.question_octets(key.name, key.qtype)
        message = wire.message(0, 0, question, tuple(records), additional=glue)
        is_exact = saying.kind == "exact" and key.qtype == wire.TXT and not (targets or key.whom)
        return UpstreamAnswer(
            key,
            serial,
            heard.by,
            self.order(),
            self.now(),
            ttl_s,
            rcode,
            tuple(records),
            authority,
            glue,
            tuple(targets),
            authentic,
            len(message),
            saying.octets if is_exact else 0,
        )


def is_at_home(record: Record) -> bool:
    """Return whether a record leads to a private address."""
    leads = record.rtype in (wire.A, wire.AAAA, wire.HTTPS)
    return leads and record.rdata[-4:-3] == _AT_HOME.to_bytes(4)[:1]


def without_ech(record: Record) -> Record:
    """Return service bindings without their key."""
    return record._replace(rdata=record.rdata.replace(_ECH, b""))


def _data(key: Key, saying: Saying, serial: int) -> list[Record]:
    public, private = (pack("!I", one + serial - _FIRST) for one in (_NETWORK, _AT_HOME))
    addresses = {Home.NONE: [public], Home.ALL: [private], Home.SOME: [private, public]}
    if key.qtype == wire.TXT:
        rdatas = _texts(key, saying, serial)
    elif key.qtype == wire.A:
        rdatas = addresses[saying.home]
    else:
        rdatas = [_of_16_octets(one) for one in addresses[saying.home]]
    if key.qtype == wire.HTTPS:
        target = wire.name_octets(saying.target) if saying.target else b"\0"
        rdatas = [
            pack("!H", n) + target + _ECH * saying.ech + pack("!HH", 6, 16) + hint
            for n, hint in enumerate(rdatas, 1)
        ]
    return [Record(key.name, key.qtype, saying.ttl_s, rdata) for rdata in rdatas]


def _of_16_octets(address: bytes) -> bytes:
    network = b"\xfd" if address[0] == _AT_HOME >> 24 else bytes.fromhex("20010002")
    return network.ljust(12, b"\0") + address


def _texts(key: Key, saying: Saying, serial: int) -> list[bytes]:
    if saying.kind == "exact":
        return [_text_of(saying.octets - _octets_around(key), serial)]
    count, filling = {"big": (5, 170), "huge": (14, 170)}.get(saying.kind, (1, 0))
    texts = [b"%d-%d %s" % (serial, n, b"x" * filling) for n in range(count)]
    return [bytes([len(text)]) + text for text in texts]


def _octets_around(key: Key) -> int:
    """Return what a reply takes beside the RDATA of its one text: compressed, with an OPT."""
    signature = 12 + len(_signature(key.name, key.qtype, 0).rdata) if key.do else 0
    return 12 + len(wire.question_octets(key.name, key.qtype)) + 12 + signature + OPT_OCTETS


def _text_of(octets: int, serial: int) -> bytes:
    """Return RDATA of so many octets."""
    written = b"%d-0 " % serial
    rdata = b""
    while octets:
        size = min(256, octets)
        rdata += bytes([size - 1]) + written.ljust(size - 1, b"x")[: size - 1]
        octets -= size
    return rdata


def _signature(name: str, qtype: int, ttl_s: int) -> Record:
    rdata = pack("!HBBIIIH", qtype, 13, 2, ttl_s, 0x7FFFFFFF, 1, 1) + _SIGNATURE
    return Record(name, wire.RRSIG, ttl_s, rdata)


def _soa(name: str, ttl_s: int, serial: int) -> Record:
    zone = name.rpartition(".")[2]
    rdata = b"\2ns\0\4root\0" + pack("!5I", serial, 3600, 600, 86_400, ttl_s)
    return Record(zone, wire.SOA, ttl_s, rdata)


def _serial_in(record: Record) -> int:
    rdata = record.rdata
    if record.rtype in (wire.A, wire.AAAA, wire.HTTPS) and len(rdata) >= 4:
        network = _AT_HOME if is_at_home(record) else _NETWORK
        return int.from_bytes(rdata[-4:]) - network + _FIRST
    if record.rtype == wire.TXT and b"-" in rdata:
        return int(rdata[1 : rdata.index(b"-")])
    if record.rtype == wire.SOA:
        return int.from_bytes(rdata[-20:-16])
    return 0
