# SPDX-License-Identifier: Apache-2.0
"""Repeat answers of the chain, in readable Python (the reference of ``_packet_cache``).

The same question of the same class of clients gets the same answer for as long
as it holds: with the client's ID and letter case, TTLs aged, where it fits the
client's limit. Which clients may be given it, and how long, is told with each answer.

TTLs are those of the cache. ``client_ttl_max``, like the next edge, bounds how long a
client may keep what it gets at this moment (dns.md §9): it caps what is left of a TTL
each time, as in ``resolve.answer_reply``. A TTL that was capped once and then aged would
reach 0 while the cache still holds the record.
"""

from __future__ import annotations

from collections import Counter
from math import ceil
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.wire.header import HEADER_OCTETS, TC, peek_header
from filterd.wire.response import parse_response

if TYPE_CHECKING:
    from collections.abc import Hashable

    from filterd.fastpath._question_py import Asked

ENTRIES, WAYS = 32_768, 8
"""So many answers are kept, in sets of so many that a question's hash leads to. Of sets that are
half full in the mean one in ten overflows, and what it pushes out goes to the chain again."""
LARGEST_REPLY = 1_232
SHORT_REPLY = 169
"""One of so many octets has room where it is noted; longer ones have a bound together."""
MOST_OCTETS = 4 * 1024 * 1024
"""What the longer replies may take."""
MOST_TTLS = 48

SWEEPS = 8
"""In so many parts is looked for hits and for what holds no more, one a second: nobody waits long
for it, and all are told of before the cache's shortest that is refreshed ahead (10 s) expires."""

_OPT = 41
_TTL = Struct("!I")


class _Kept(NamedTuple):
    reply: bytes
    ttls: tuple[int, ...]
    cap_ttl_s: int
    noted_at: float
    until: float
    valid_until: float
    tally: int
    source: Hashable


class Replay:
    """Answers by class of clients and question.

    Args:
        seed: 16 octets, so that nobody can foretell which answers push out which.
        entries: how many are kept.
    """

    def __init__(self, seed: bytes, entries: int = ENTRIES) -> None:
        if len(seed) != 16:
            raise ValueError("a seed has 16 octets")
        self._entries = entries
        self._now = self._wall = 0.0
        self._hits: Counter[Hashable] = Counter()
        self.forget()

    def forget(self) -> None:
        """Forget all answers, but not how often they were repeated.

        A round of sweeps later ``take_hits`` has told of all of that at the latest;
        here it does at once.
        """
        self._kept: dict[tuple[int, bytes, int, int], _Kept] = {}
        self._octets = 0

    def at(self, now: float, wall: float) -> None:
        """Set the times by which what follows is answered."""
        self._now, self._wall = now, wall

    def note(
        self,
        client_class: int,
        flags: int,
        reply: bytes,
        cap_ttl_s: int,
        until: float,
        valid_until: float,
        tally: int,
        source: Hashable,
    ) -> bool:
        """Keep an answer of the chain's; False where it is not of the kind that is kept.

        Args:
            client_class: for whom.
            flags: see ``_question_py.flags_of``.
            reply: not cut to a size, its TTLs neither.
            cap_ttl_s: no TTL is sent higher than this.
            until: how long at most by the monotonic clock; its TTLs may end it before.
            valid_until: how long at most by the wall clock.
            tally: where its repetitions are counted.
            source: whose hits they are; None for nobody's.
        """
        if len(reply) > LARGEST_REPLY or peek_header(reply).flags & TC:
            return False
        response = parse_response(reply)
        ttls = tuple(one.ttl_offset for one in response.records if one.rtype != _OPT)
        if response.question is None or not 0 < len(ttls) <= MOST_TTLS:
            return False
        least = min(_TTL.unpack_from(reply, place)[0] for place in ttls)
        until = min(until, self._now + least)
        if until <= self._now or valid_until <= self._wall:
            return False
        key = client_class, response.question.qname, response.question.qtype, flags
        self._drop(key)
        if len(self._kept) >= self._entries or self._octets + _long(reply) > MOST_OCTETS:
            self._drop(next(iter(self._kept)))
        self._kept[key] = _Kept(
            reply, ttls, cap_ttl_s, self._now, until, valid_until, tally, source
        )
        self._octets += _long(reply)
        return True

    def has_room(self) -> bool:
        """Tell whether half is free: then even what was asked for once may be kept.

        Half of the places, and of the room for longer replies. The other twin takes places
        for free that are forgotten only when it has freed them.
        """
        return 2 * len(self._kept) < self._entries and 2 * self._octets < MOST_OCTETS

    def answer(self, message: bytes, asked: Asked, client_class: int) -> tuple[bytes, int] | None:
        """Return the answer to a question and its tally, None where there is none that holds."""
        key = client_class, asked.qname, asked.qtype, asked.flags
        kept = self._kept.get(key)
        if kept is None:
            return None
        age = ceil(self._now - kept.noted_at)
        if self._now >= kept.until or self._wall >= kept.valid_until:
            self._drop(key)
            return None
        if len(kept.reply) > asked.limit:
            return None
        reply, cap_ttl_s = bytearray(kept.reply), kept.cap_ttl_s
        if kept.valid_until - self._wall < cap_ttl_s:
            cap_ttl_s = max(1, int(kept.valid_until - self._wall))
        for place in kept.ttls:
            left_s = _TTL.unpack_from(reply, place)[0] - age
            _TTL.pack_into(reply, place, min(left_s, cap_ttl_s))
        if kept.source is not None:
            self._hits[kept.source] += 1
        reply[:2] = message[:2]
        reply[HEADER_OCTETS : asked.end] = message[HEADER_OCTETS : asked.end]
        return bytes(reply), kept.tally

    def sweep(self) -> None:
        """Look at one of ``SWEEPS`` parts: let ``take_hits`` tell of it, drop what has ended.

        Here all is told at once, and what has ended goes when it is asked for.
        """

    def take_hits(self) -> list[tuple[Hashable, int]]:
        """Return how often answers were repeated that were dropped or swept, by their source."""
        hits, self._hits = self._hits, Counter()
        return list(hits.items())

    def _drop(self, key: tuple[int, bytes, int, int]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._octets -= _long(kept.reply)


def _long(reply: bytes) -> int:
    """Return how many octets a reply takes of those that the longer ones may take."""
    return len(reply) if len(reply) > SHORT_REPLY else 0
