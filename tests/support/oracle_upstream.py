# SPDX-License-Identifier: Apache-2.0
"""The oracle's upstream: what it says, in which mood, and a record of everything it has said.

Each thing that it says bears a number of its own in address, text or SOA, by
which it is known again in whatever a client is answered. No answer of it is ever
taken back: what was said once is true for its TTL.
"""

from __future__ import annotations

import socket
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
DEAD_AFTER_S = 3.7
"""Whoever asked has given up by then, or is about to (dns.md §7)."""

_FIRST = 1 << 20
_NETWORK = 0xC6120000  # 198.18.0.0/15, which is nobody's
_TYPES = (wire.A, wire.AAAA, wire.TXT, wire.HTTPS)


class Mood(StrEnum):
    """How questions are met."""

    PROMPT = "prompt"
    HELD = "held"
    SILENT = "silent"
    FAILING = "failing"


class Saying(NamedTuple):
    """What is said of a name. ``kind``: data, big, nodata, nxdomain or alias.

    ``target``: of the alias, or of service bindings. ``no_soa``: a denial that
    does not say how long it holds.
    """

    kind: str = "data"
    ttl_s: int = 300
    target: str = ""
    no_soa: bool = False


class Key(NamedTuple):
    """What an answer depends on."""

    name: str
    qtype: int
    do: bool
    cd: bool


@dataclass(frozen=True)
class Told:
    """Something that was said. ``order`` is when, among all that happened; ``at`` is monotonic."""

    key: Key
    serial: int
    order: int
    at: float
    ttl_s: int
    rcode: int
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    targets: tuple[str, ...]
    authentic: bool
    octets: int


@dataclass
class Heard:
    """A question that came. ``told``: it was answered before whoever asked had given up."""

    key: Key
    order: int
    at: float
    wire: bytes
    source: tuple[str, int]
    told: bool = False


@dataclass
class Upstream:
    """One server, of which the driver reads and writes the socket.

    Args:
        now: monotonic time.
        order: counts all that happens.
    """

    now: Callable[[], float]
    order: Callable[[], int]
    mood: Mood = Mood.PROMPT
    authentic: bool = True
    sayings: dict[str, Saying] = field(default_factory=dict)
    told: dict[Key, list[Told]] = field(default_factory=dict)
    by_serial: dict[int, Told] = field(default_factory=dict)
    heard: dict[Key, list[Heard]] = field(default_factory=dict)
    held: list[Heard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]

    def say(self, name: str, saying: Saying) -> None:
        """Say something else of a name from now on, unless it would lead back to itself."""
        target = saying.target if saying.kind == "alias" else ""
        while target and target != name:
            further = self.sayings.get(target, Saying())
            target = further.target if further.kind == "alias" else ""
        if not target:
            self.sayings[name] = saying

    def readable(self) -> None:
        """Take in what has come, and meet it as the mood is."""
        while True:
            try:
                query, source = self.socket.recvfrom(4096)
            except BlockingIOError:
                return
            name, qtype, _ = wire.read_question(query)
            key = Key(name, qtype, wire.has_do(query), bool(query[3] & wire.CD))
            heard = Heard(key, self.order(), self.now(), query, source)
            self.heard.setdefault(key, []).append(heard)
            if self.mood is Mood.PROMPT:
                self.tell(heard)
            elif self.mood is Mood.HELD:
                self.held.append(heard)
            elif self.mood is Mood.FAILING:
                self._send(heard, wire.SERVFAIL)

    def release(self, most: int = 1 << 30) -> None:
        """Answer what is held, the oldest first."""
        for _ in range(min(most, len(self.held))):
            self.tell(self.held.pop(0))

    def tell(self, heard: Heard) -> None:
        """Answer a question by what is true at this moment."""
        heard.told = self.now() - heard.at < DEAD_AFTER_S
        told = self._compose(heard.key)
        self.told.setdefault(heard.key, []).append(told)
        self.by_serial[told.serial] = told
        self._send(heard, told.rcode, told.answer, told.authority)

    def found_in(self, reply: Reply) -> Told | None:
        """Return what of all that was said is repeated in a reply."""
        for record in (*reply.authority, *reversed(reply.answer)):
            told = self.by_serial.get(_serial_in(record))
            if told is not None:
                return told
        return None

    def _send(
        self,
        heard: Heard,
        rcode: int,
        answer: tuple[Record, ...] = (),
        authority: tuple[Record, ...] = (),
    ) -> None:
        ident = int.from_bytes(heard.wire[:2])
        _, _, end = wire.read_question(heard.wire)
        flags = wire.QR | wire.RD | wire.RA | rcode
        flags |= wire.AD if self.authentic else 0
        opt = wire.opt_octets(1232, wire.DO if heard.key.do else 0)
        message = wire.message(ident, flags, heard.wire[12:end], answer, authority, opt)
        self.socket.sendto(message, heard.source)

    def _compose(self, key: Key) -> Told:
        serial = _FIRST + len(self.by_serial)
        name, records, targets = key.name, list[Record](), list[str]()
        saying = self.sayings.get(name, Saying())
        while saying.kind == "alias":
            rdata = wire.name_octets(saying.target)
            records.append(Record(name, wire.CNAME, saying.ttl_s, rdata, saying.target))
            name = saying.target
            targets.append(name)
            saying = self.sayings.get(name, Saying())
        rcode = wire.NXDOMAIN if saying.kind == "nxdomain" else 0
        authority: tuple[Record, ...] = ()
        if rcode or saying.kind == "nodata" or key.qtype not in _TYPES:
            if not saying.no_soa:
                authority = (_soa(name, saying.ttl_s, serial),)
        else:
            records += _data(name, key.qtype, saying, serial)
            if key.do:
                records.append(_signature(name, key.qtype, saying.ttl_s))
            if key.qtype == wire.HTTPS and saying.target:
                targets.append(saying.target)
        negative = not any(one.rtype == key.qtype for one in records)
        ttls = [one.ttl_s for one in (*records, *authority)]
        longest = LONGEST_NEGATIVE_TTL_S if negative else LONGEST_TTL_S
        ttl_s = 0 if negative and not authority else min(LONGEST_TTL_S, *ttls, longest)
        message = wire.message(0, 0, wire.question_octets(key.name, key.qtype), tuple(records))
        return Told(
            key,
            serial,
            self.order(),
            self.now(),
            ttl_s,
            rcode,
            tuple(records),
            authority,
            tuple(targets),
            self.authentic,
            len(message),
        )


def _data(name: str, qtype: int, saying: Saying, serial: int) -> list[Record]:
    address = pack("!I", _NETWORK + serial - _FIRST)
    if qtype == wire.A:
        rdatas = [address]
    elif qtype == wire.AAAA:
        rdatas = [bytes.fromhex("20010db8") + bytes(8) + address]
    elif qtype == wire.TXT:
        filling = b"x" * 170 if saying.kind == "big" else b""
        texts = [b"%d-%d %s" % (serial, n, filling) for n in range(5 if filling else 1)]
        rdatas = [bytes([len(text)]) + text for text in texts]
    else:
        hint = pack("!HH", 4, 4) + address
        target = wire.name_octets(saying.target) if saying.target else b"\0"
        rdatas = [b"\0\1" + target + hint]
    return [Record(name, qtype, saying.ttl_s, rdata) for rdata in rdatas]


def _signature(name: str, qtype: int, ttl_s: int) -> Record:
    rdata = pack("!HBBIIIH", qtype, 13, 2, ttl_s, 0x7FFFFFFF, 1, 1) + b"\0" + b"s" * 64
    return Record(name, wire.RRSIG, ttl_s, rdata)


def _soa(name: str, ttl_s: int, serial: int) -> Record:
    zone = name.rpartition(".")[2]
    rdata = b"\2ns\0\4root\0" + pack("!5I", serial, 3600, 600, 86_400, ttl_s)
    return Record(zone, wire.SOA, ttl_s, rdata)


def _serial_in(record: Record) -> int:
    rdata = record.rdata
    if record.rtype in (wire.A, wire.AAAA, wire.HTTPS) and len(rdata) >= 4:
        return int.from_bytes(rdata[-4:]) - _NETWORK + _FIRST
    if record.rtype == wire.TXT and b"-" in rdata:
        return int(rdata[1 : rdata.index(b"-")])
    if record.rtype == wire.SOA:
        return int.from_bytes(rdata[-20:-16])
    return 0
