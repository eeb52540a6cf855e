# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3, annotation_typing=False, wraparound=False
"""Limit what a source may ask, in a table of fixed size.

Cython compiles this very module.

A source is an address, which any device on the same link can forge. An IPv6 source is an
address too and not its /64, which may be all devices of a school; but the newcomers of a /64
share a limit. Four facts make forging harmless:

* The table has a fixed number of places, in sets chosen by a hash with a key of this process
  only, so that no client can aim at the set of another. Within a set a newcomer takes the
  place of a newcomer: however many sources are forged, a known source keeps its place.
* A source is known that asked some seconds ago and still asks, or that has completed a TCP
  exchange. The known are served before newcomers.
* What comes by TCP is counted apart: a forger uses up the datagrams of a victim, which gets
  TC=1 (come by TCP) and is served there.
* Overload begins when more newcomers come than can be served. It makes no source known: what
  was learned in the seconds before it, which is when a flood began, is forgotten, and
  newcomers get TC=1 while there are few enough of them. It ends when they are.

``_rate_limit.pxd`` gives the types in C. Without it the same lines run in Python.
"""

from __future__ import annotations

import socket
import struct
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
"""A source that has used no more than its share of so long is served before the others."""

NETWORK_CLIENTS = 16
"""So many newcomers' shares the newcomers of one /64 have together."""

NEWCOMERS_A_SECOND, NEWCOMERS_AT_ONCE = 5_000, 4_096
"""How many newcomers can be looked up; more are an overload."""

HINTS_A_SECOND, HINTS_AT_ONCE = 5_000, 500
"""How many newcomers' datagrams get TC=1 in an overload."""


class Treatment(IntEnum):
    """The treatment of a datagram; one that is served earlier has a smaller number.

    SERVE_FIRST: a known source that asks little; SERVE_NEXT: one that asks much;
    SERVE_LAST: a newcomer. HINT_RATE: over its rate, answer TC=1 (come by TCP).
    HINT_OVERLOAD: the same for a newcomer for which there is no time.
    DROP_OVERLOAD: there is no time for that either. DENY: it may not ask here.
    """

    SERVE_FIRST = 0
    SERVE_NEXT = 1
    SERVE_LAST = 2
    HINT_RATE = 3
    HINT_OVERLOAD = 4
    DROP_OVERLOAD = 5
    DENY = 6


# The same numbers and times in C, where it is compiled.
SERVE_FIRST, SERVE_NEXT, SERVE_LAST = 0, 1, 2
HINT_RATE, HINT_OVERLOAD, DROP_OVERLOAD, DENY = 3, 4, 5, 6
known_after_s, idle_after_s = KNOWN_AFTER_S, IDLE_AFTER_S
never = float("-inf")
ways = WAYS
all_ones = 0xFFFF_FFFF_FFFF_FFFF
magic_0, magic_1 = 0x736F6D6570736575, 0x646F72616E646F6D
magic_2, magic_3 = 0x6C7967656E657261, 0x7465646279746573
sixteen_octets = 16 << 56

assert list(Treatment) == [
    SERVE_FIRST,
    SERVE_NEXT,
    SERVE_LAST,
    HINT_RATE,
    HINT_OVERLOAD,
    DROP_OVERLOAD,
    DENY,
]


class Bucket:
    """Tokens that come back with time, never more than ``burst`` of them."""

    def __init__(self, a_second: float, burst: float) -> None:
        self.a_second, self.burst = float(a_second), float(burst)
        self.level, self.at = self.burst, 0.0

    def take(self, now: float) -> bool:
        """Take one; False where there is none. A time that goes back changes nothing."""
        if now > self.at:
            self.level = min(self.burst, self.level + (now - self.at) * self.a_second)
            self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class RateSource:
    """The state of one source.

    Times are the clock's; ``checked_until`` says until when ``permitted`` holds.
    """

    def begin(self, high: int, low: int, burst: float, now: float) -> None:
        """Take over the address of a newcomer: two words, the high one first."""
        self.high, self.low = high, low
        self.level = self.tcp_level = burst
        self.first_at = self.seen_at = now
        self.checked_until = never
        self.asked = self.interface = 0
        self.proven = self.permitted = False

    def is_known(self, now: float) -> bool:
        """Return whether it has asked for long enough, or has answered by TCP."""
        return self.proven or now - self.first_at >= known_after_s

    def is_worthless(self, now: float) -> bool:
        """Return whether it may be dropped without a loss."""
        return now - self.seen_at >= idle_after_s or not self.permitted

    def is_worth_less(self, other: RateSource, now: float) -> bool:
        """Return whether dropping it loses less than dropping the other."""
        worthless = self.is_worthless(now)
        if worthless != other.is_worthless(now):
            return worthless
        if not worthless and self.asked != other.asked:
            return self.asked < other.asked
        return self.seen_at < other.seen_at


class SourceTable:
    """Judges datagrams and questions by the addresses that they claim to come from.

    Args:
        key: 16 secret octets.
        queries_a_second: what a source may ask for long.
        burst: what it may ask at once.
        sets: a power of two; the table has eight places in each.

    Addresses are packed, 4 or 16 octets; ``interface`` is an index, 0 where it is not known;
    ``now`` is in seconds; one that is before the last costs a source nothing.
    """

    def __init__(self, key: bytes, queries_a_second: float, burst: float, sets: int = SETS) -> None:
        if len(key) != 16 or sets < 1 or sets & (sets - 1):
            raise ValueError("a key has 16 octets, and the number of sets is a power of two")
        self._key_0, self._key_1 = struct.unpack("<QQ", key)
        self._last_set = sets - 1
        self._places: list[RateSource | None] = [None] * (sets * WAYS)
        self._newcomers = Bucket(NEWCOMERS_A_SECOND, NEWCOMERS_AT_ONCE)
        self._hints = Bucket(HINTS_A_SECOND, HINTS_AT_ONCE)
        self._overload_until = never
        self.configure(queries_a_second, burst)

    def configure(self, queries_a_second: float, burst: float) -> None:
        """Put other limits in force."""
        self._a_second, self._burst = float(queries_a_second), float(burst)
        self._sparse = max(1.0, self._a_second * SPARSE_FOR_S)

    def __len__(self) -> int:
        return sum(place is not None for place in self._places)

    def is_overloaded(self, now: float) -> bool:
        """Return whether newcomers have to wait; for tests."""
        return now < self._overload_until

    def judge(self, address: bytes, interface: int, now: float, permits: Permits) -> int:
        """Count a datagram and return a ``Treatment``."""
        high, low = words_of(address, interface)
        return self.judge_words(high, low, len(address) == 4, interface, now, permits)

    def crowd(self, address: bytes, interface: int, now: float, permits: Permits) -> int:
        """Begin an overload because of this newcomer, and return its ``Treatment``."""
        high, low = words_of(address, interface)
        return self.crowd_words(high, low, len(address) == 4, interface, now, permits)

    def take_by_tcp(self, address: bytes, interface: int, now: float) -> bool:
        """Count a question that came by TCP; False where it is one too many for now."""
        high, low = words_of(address, interface)
        source = self._insist(high, low, now)
        self._refill(source, now)
        if source.tcp_level < 1:
            return False
        source.tcp_level -= 1
        return True

    def prove(self, address: bytes, interface: int, now: float) -> None:
        """Note that a source is where this address is: it has answered by TCP."""
        high, low = words_of(address, interface)
        source = self._insist(high, low, now)
        source.proven = source.permitted = True

    def judge_words(
        self, high: int, low: int, is_ipv4: bool, interface: int, now: float, permits: Permits
    ) -> int:
        """Do what ``judge`` does, with an address as two words (see ``words_of``)."""
        source = self._find(high, low)
        if source is None and now >= self._overload_until:
            source = self._admit(high, low, now)
        if source is None:
            return self._hint(high, low, is_ipv4, interface, now, permits)
        if source.checked_until <= now or source.interface != interface:
            if not source.permitted and not self._newcomers.take(now):
                return self.crowd_words(high, low, is_ipv4, interface, now, permits)
            source.permitted = permits(text_of(high, low, is_ipv4, interface), interface)
            source.interface = interface
            source.checked_until = now + (PERMITTED_FOR_S if source.permitted else DENIED_FOR_S)
        if not source.permitted:
            return DENY
        return self._serve(source, now)

    def crowd_words(
        self, high: int, low: int, is_ipv4: bool, interface: int, now: float, permits: Permits
    ) -> int:
        """Do what ``crowd`` does, with an address as two words (see ``words_of``)."""
        if now >= self._overload_until:
            self._overload_until = now + OVERLOAD_LASTS_S
            for at in range(len(self._places)):
                source = self._places[at]
                if source is not None and not source.is_known(now):
                    self._places[at] = None
        return self._hint(high, low, is_ipv4, interface, now, permits)

    def _serve(self, source: RateSource, now: float) -> int:
        self._refill(source, now)
        source.asked += 1
        if source.level < 1:
            return HINT_RATE
        if not source.is_known(now):
            if not self._network_has_room(source.high, source.low, now):
                return HINT_RATE
            source.level -= 1
            return SERVE_LAST
        source.level -= 1
        return SERVE_FIRST if self._burst - source.level <= self._sparse else SERVE_NEXT

    def _hint(
        self, high: int, low: int, is_ipv4: bool, interface: int, now: float, permits: Permits
    ) -> int:
        """Judge a newcomer for which there is no place."""
        if not self._hints.take(now):
            self._overload_until = now + OVERLOAD_LASTS_S
            return DROP_OVERLOAD
        if permits(text_of(high, low, is_ipv4, interface), interface):
            return HINT_OVERLOAD
        return DENY

    def _network_has_room(self, high: int, low: int, now: float) -> bool:
        """Count a newcomer of a /64; return whether its network has room.

        One device has as many addresses in a /64 as it likes.
        """
        if high == 0 and low >> 32 == 0xFFFF:
            return True
        network = self._find(high, all_ones)
        if network is None:
            network = self._admit(high, all_ones, now)
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

    def _refill(self, source: RateSource, now: float) -> None:
        if now > source.seen_at:
            gained = (now - source.seen_at) * self._a_second
            source.level = min(self._burst, source.level + gained)
            source.tcp_level = min(self._burst, source.tcp_level + gained)
            source.seen_at = now

    def _first_place(self, high: int, low: int) -> int:
        return ways * (siphash(self._key_0, self._key_1, high, low) & self._last_set)

    def _find(self, high: int, low: int) -> RateSource | None:
        first = self._first_place(high, low)
        for at in range(first, first + ways):
            source = self._places[at]
            if source is not None and source.low == low and source.high == high:
                return source
        return None

    def _admit(self, high: int, low: int, now: float) -> RateSource | None:
        """Return a place for a new source; None if known sources have them all."""
        first = self._first_place(high, low)
        place, least = first, None
        for at in range(first, first + ways):
            source = self._places[at]
            if source is None:
                return self._place(at, high, low, now)
            if (not source.is_known(now) or source.is_worthless(now)) and (
                least is None or source.is_worth_less(least, now)
            ):
                place, least = at, source
        return None if least is None else self._place(place, high, low, now)

    def _insist(self, high: int, low: int, now: float) -> RateSource:
        """Return a source that is no forgery, at the cost of the one that was seen last."""
        source = self._find(high, low)
        if source is None:
            source = self._admit(high, low, now)
        if source is None:
            first = place = self._first_place(high, low)
            oldest = self._places[first]
            for at in range(first, first + ways):
                source = self._places[at]
                if source is not None and (oldest is None or source.seen_at < oldest.seen_at):
                    place, oldest = at, source
            source = self._place(place, high, low, now)
        return source

    def _place(self, place: int, high: int, low: int, now: float) -> RateSource:
        source = RateSource()
        source.begin(high, low, self._burst, now)
        self._places[place] = source
        return source


def words_of(address: bytes, interface: int) -> tuple[int, int]:
    """Return the two words that stand for an address.

    The words of a link-local address differ by its interface.

    Raises:
        ValueError: it has neither 4 nor 16 octets.
    """
    if len(address) == 4:
        return 0, 0xFFFF << 32 | int.from_bytes(address)
    if len(address) != 16:
        raise ValueError("an address has 4 or 16 octets")
    high, low = struct.unpack(">QQ", address)
    return high ^ interface if is_link_local(high) else high, low


def is_link_local(high: int) -> bool:
    """Return whether the first word of an address is one of fe80::/10."""
    return high >> 54 == 0x3FA


def text_of(high: int, low: int, is_ipv4: bool, interface: int) -> str:
    """Write the address that two words stand for, as the socket module does."""
    if is_ipv4:
        return socket.inet_ntop(socket.AF_INET, struct.pack(">Q", low)[4:])
    if is_link_local(high):
        high ^= interface
    return socket.inet_ntop(socket.AF_INET6, struct.pack(">QQ", high, low))


def siphash(key_0: int, key_1: int, word_0: int, word_1: int) -> int:
    """Return SipHash-2-4 of 16 octets, given like the key as two little-endian words."""
    v0, v1, v2, v3 = key_0 ^ magic_0, key_1 ^ magic_1, key_0 ^ magic_2, key_1 ^ magic_3
    word = word_0
    for step in range(4):
        if step == 1:
            word = word_1
        elif step == 2:
            word = sixteen_octets
        if step == 3:
            v2 ^= 0xFF
        else:
            v3 ^= word
        for _ in range(4 if step == 3 else 2):
            v0 = (v0 + v1) & all_ones
            v2 = (v2 + v3) & all_ones
            v1 = ((v1 << 13 | v1 >> 51) & all_ones) ^ v0
            v3 = ((v3 << 16 | v3 >> 48) & all_ones) ^ v2
            v0 = ((v0 << 32 | v0 >> 32) + v3) & all_ones
            v2 = (v2 + v1) & all_ones
            v1 = ((v1 << 17 | v1 >> 47) & all_ones) ^ v2
            v3 = ((v3 << 21 | v3 >> 43) & all_ones) ^ v0
            v2 = (v2 << 32 | v2 >> 32) & all_ones
        if step != 3:
            v0 ^= word
    return v0 ^ v1 ^ v2 ^ v3
