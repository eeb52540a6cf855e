# SPDX-License-Identifier: Apache-2.0
"""The table of sources that have asked, in readable Python (the reference of ``_rate_limit``).

A source is an address, which anybody on the same wire can forge. An IPv6 source
is an address too and not its /64, which may be all devices of a school; but the
newcomers of a /64 share a limit. Four facts make forging harmless:

* The table has a fixed number of places, in sets chosen by a hash with a key of
  this process only, so that nobody can aim at the set of somebody else. Within
  a set a newcomer takes the place of a newcomer: however many sources are
  forged, who is known keeps what is known of him.
* Known is who asked some seconds ago and still asks, or who has completed a TCP
  exchange. The known are served before newcomers.
* What comes by TCP is counted apart: a forger uses up the datagrams of his
  victim, who is told to come by TCP (TC=1) and is served there.
* Overload begins when more newcomers come than can be served. It makes nobody
  known: what was learned in the seconds before it, which is when a flood
  began, is forgotten, and newcomers get TC=1 while there are few enough of
  them. It ends when they are.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Permits = Callable[[str, int], bool]
    """Whether an address may ask by an interface (its index)."""

WAYS = 8
SETS = 2_048

KNOWN_AFTER_S = 5.0
"""So long after its first question a source is known."""

IDLE_AFTER_S = 600.0
"""So long after its last question a source may lose its place to any other."""

OVERLOAD_LASTS_S = 1.0
"""So long after the last newcomer too many an overload is over."""

PERMITTED_FOR_S, DENIED_FOR_S = 1.0, 0.1
"""How long it is remembered that a source may ask, and that it may not."""

SPARSE_FOR_S = 0.5
"""Who has used no more than his share of so long goes before those who have."""

NETWORK_CLIENTS = 16
"""So many newcomers' shares the newcomers of one /64 have together."""

NEWCOMERS_A_SECOND, NEWCOMERS_AT_ONCE = 5_000, 4_096
"""How many newcomers can be looked up; more are an overload."""

HINTS_A_SECOND, HINTS_AT_ONCE = 5_000, 500
"""How many newcomers' datagrams are told to come by TCP in an overload."""

_MAPPED = b"\0" * 10 + b"\xff\xff"
_NETWORK = 0xFFFF_FFFF_FFFF_FFFF
_MASK = 0xFFFF_FFFF_FFFF_FFFF


class Treatment(IntEnum):
    """What becomes of a datagram. Who is served earlier has the smaller number.

    SERVE_FIRST: a known source that asks little; SERVE_NEXT: one that asks much;
    SERVE_LAST: a newcomer. HINT_RATE: over its rate, tell it to come by TCP.
    HINT_OVERLOAD: the same for a newcomer whom there is no time to serve.
    DROP_OVERLOAD: there is no time for that either. DENY: it may not ask here.
    """

    SERVE_FIRST = 0
    SERVE_NEXT = 1
    SERVE_LAST = 2
    HINT_RATE = 3
    HINT_OVERLOAD = 4
    DROP_OVERLOAD = 5
    DENY = 6


@dataclass(slots=True)
class _Bucket:
    """Tokens that come back with time, never more than ``burst`` of them."""

    a_second: float
    burst: float
    level: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.burst

    def take(self, now: float) -> bool:
        """Take one; False where there is none."""
        self.level = min(self.burst, self.level + (now - self.at) * self.a_second)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


@dataclass(slots=True, eq=False)
class _Source:
    """What is known of one source; times are the clock's, ``checked_until`` of ``permitted``."""

    key: tuple[int, int]
    level: float
    tcp_level: float
    first_at: float
    seen_at: float
    asked: int = 0
    proven: bool = False
    permitted: bool = False
    checked_until: float = float("-inf")
    interface: int = 0

    def is_known(self, now: float) -> bool:
        return self.proven or now - self.first_at >= KNOWN_AFTER_S

    def worth(self, now: float) -> tuple[int, float]:
        """Tell how much would be lost with it; smaller is less."""
        if now - self.seen_at >= IDLE_AFTER_S or not self.permitted:
            return -1, self.seen_at
        return self.asked, self.seen_at


class SourceTable:
    """Judges datagrams and questions by where they say that they come from.

    Args:
        key: 16 octets that nobody else knows.
        queries_a_second: what a source may ask for long.
        burst: what it may ask at once.
        sets: a power of two; the table has eight places in each.

    Addresses are packed, 4 or 16 octets; ``interface`` is an index, 0 where it
    is not known; ``now`` is in seconds and never goes back.
    """

    def __init__(self, key: bytes, queries_a_second: float, burst: float, sets: int = SETS) -> None:
        if len(key) != 16 or sets < 1 or sets & (sets - 1):
            raise ValueError("a key has 16 octets, and the number of sets is a power of two")
        self._hash_key = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
        self._sets: list[list[_Source | None]] = [[None] * WAYS for _ in range(sets)]
        self._newcomers = _Bucket(NEWCOMERS_A_SECOND, NEWCOMERS_AT_ONCE)
        self._hints = _Bucket(HINTS_A_SECOND, HINTS_AT_ONCE)
        self._overload_until = float("-inf")
        self.configure(queries_a_second, burst)

    def configure(self, queries_a_second: float, burst: float) -> None:
        """Put other limits in force."""
        self._a_second, self._burst = float(queries_a_second), float(burst)

    def __len__(self) -> int:
        return sum(one is not None for places in self._sets for one in places)

    def is_overloaded(self, now: float) -> bool:
        """Tell whether newcomers have to wait."""
        return now < self._overload_until

    def judge(self, address: bytes, interface: int, now: float, permits: Permits) -> int:
        """Count a datagram and return a ``Treatment``."""
        key = _key_of(address, interface)
        source = self._find(key)
        if source is None and not self.is_overloaded(now):
            source = self._admit(key, now)
        if source is None:
            return self._hint(address, interface, now, permits)
        if source.checked_until <= now or source.interface != interface:
            if not source.permitted and not self._newcomers.take(now):
                return self.crowd(address, interface, now, permits)
            self._check(source, address, interface, now, permits)
        if not source.permitted:
            return Treatment.DENY
        return self._serve(source, now)

    def crowd(self, address: bytes, interface: int, now: float, permits: Permits) -> int:
        """Begin an overload because of this newcomer, and return its ``Treatment``."""
        if not self.is_overloaded(now):
            self._overload_until = now + OVERLOAD_LASTS_S
            for places in self._sets:
                places[:] = [one if one and one.is_known(now) else None for one in places]
        return self._hint(address, interface, now, permits)

    def take_by_tcp(self, address: bytes, interface: int, now: float) -> bool:
        """Count a question that came by TCP; False where it is one too many for now."""
        source = self._insist(_key_of(address, interface), now)
        self._refill(source, now)
        if source.tcp_level < 1:
            return False
        source.tcp_level -= 1
        return True

    def prove(self, address: bytes, interface: int, now: float) -> None:
        """Remember that somebody is where this address is: it has answered by TCP."""
        source = self._insist(_key_of(address, interface), now)
        source.proven = source.permitted = True

    def _serve(self, source: _Source, now: float) -> Treatment:
        self._refill(source, now)
        source.asked += 1
        if source.level < 1:
            return Treatment.HINT_RATE
        known = source.is_known(now)
        if not known and not self._network_has_room(source.key, now):
            return Treatment.HINT_RATE
        source.level -= 1
        if not known:
            return Treatment.SERVE_LAST
        sparse = self._burst - source.level <= max(1.0, self._a_second * SPARSE_FOR_S)
        return Treatment.SERVE_FIRST if sparse else Treatment.SERVE_NEXT

    def _hint(self, address: bytes, interface: int, now: float, permits: Permits) -> Treatment:
        """Judge a newcomer for whom there is no place."""
        if not self._hints.take(now):
            self._overload_until = now + OVERLOAD_LASTS_S
            return Treatment.DROP_OVERLOAD
        permitted = permits(_text_of(address), interface)
        return Treatment.HINT_OVERLOAD if permitted else Treatment.DENY

    def _check(
        self, source: _Source, address: bytes, interface: int, now: float, permits: Permits
    ) -> None:
        source.permitted = permits(_text_of(address), interface)
        source.interface = interface
        source.checked_until = now + (PERMITTED_FOR_S if source.permitted else DENIED_FOR_S)

    def _network_has_room(self, key: tuple[int, int], now: float) -> bool:
        """Count a newcomer of a /64, in which one device has as many addresses as it likes."""
        if not _is_ipv6(key):
            return True
        network = self._find((key[0], _NETWORK)) or self._admit((key[0], _NETWORK), now)
        if network is None:
            return False
        # Tokens of a network count for as many clients: it is the level of one of them.
        self._refill(network, now)
        network.asked += 1
        network.permitted = True
        if network.level * NETWORK_CLIENTS < 1:
            return False
        network.level -= 1 / NETWORK_CLIENTS
        return True

    def _refill(self, source: _Source, now: float) -> None:
        gained = (now - source.seen_at) * self._a_second
        source.level = min(self._burst, source.level + gained)
        source.tcp_level = min(self._burst, source.tcp_level + gained)
        source.seen_at = now

    def _find(self, key: tuple[int, int]) -> _Source | None:
        return next((one for one in self._set_of(key) if one and one.key == key), None)

    def _admit(self, key: tuple[int, int], now: float) -> _Source | None:
        """Give a newcomer a place; None where all are taken by the known."""
        places = self._set_of(key)
        if None in places:
            return self._place(places, places.index(None), key, now)
        sources = [one for one in places if one]
        lesser = [one for one in sources if not one.is_known(now) or one.worth(now)[0] < 0]
        if not lesser:
            return None
        least = min(lesser, key=lambda one: one.worth(now))
        return self._place(places, sources.index(least), key, now)

    def _insist(self, key: tuple[int, int], now: float) -> _Source:
        """Return a source that is no forgery, at the cost of whoever was seen last."""
        source = self._find(key) or self._admit(key, now)
        if source is None:
            places = self._set_of(key)
            seen = [one.seen_at for one in places if one]
            source = self._place(places, seen.index(min(seen)), key, now)
        return source

    def _place(
        self, places: list[_Source | None], index: int, key: tuple[int, int], now: float
    ) -> _Source:
        source = places[index] = _Source(key, self._burst, self._burst, now, now)
        return source

    def _set_of(self, key: tuple[int, int]) -> list[_Source | None]:
        return self._sets[siphash(self._hash_key, key) & (len(self._sets) - 1)]


def _key_of(address: bytes, interface: int) -> tuple[int, int]:
    """Return the two words that stand for an address; a link-local one is its interface's."""
    if len(address) == 4:
        address = _MAPPED + address
    high, low = int.from_bytes(address[:8]), int.from_bytes(address[8:])
    if high >> 54 == 0xFE80 >> 6:
        high ^= interface
    return high, low


def _is_ipv6(key: tuple[int, int]) -> bool:
    return key[0] != 0 or key[1] >> 32 != 0xFFFF


def _text_of(address: bytes) -> str:
    if len(address) == 4:
        return socket.inet_ntop(socket.AF_INET, address)
    return socket.inet_ntop(socket.AF_INET6, address)


def siphash(key: tuple[int, int], words: tuple[int, int]) -> int:
    """Return SipHash-2-4 of 16 octets, given like the key as two little-endian words."""
    v = [
        key[0] ^ 0x736F6D6570736575,
        key[1] ^ 0x646F72616E646F6D,
        key[0] ^ 0x6C7967656E657261,
        key[1] ^ 0x7465646279746573,
    ]
    for word in (*words, 16 << 56):
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[int], times: int) -> None:
    for _ in range(times):
        v[0] = (v[0] + v[1]) & _MASK
        v[2] = (v[2] + v[3]) & _MASK
        v[1] = _rotate(v[1], 13) ^ v[0]
        v[3] = _rotate(v[3], 16) ^ v[2]
        v[0] = (_rotate(v[0], 32) + v[3]) & _MASK
        v[2] = (v[2] + v[1]) & _MASK
        v[1] = _rotate(v[1], 17) ^ v[2]
        v[3] = _rotate(v[3], 21) ^ v[0]
        v[2] = _rotate(v[2], 32)


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & _MASK
