# SPDX-License-Identifier: Apache-2.0
"""Cache entries as octets: packing, the times of an entry, expiry in coarse steps.

A school's cache holds many thousands of small answers. As Python objects they take
three times the memory of the packed octets. Each object with attributes is also one
more for the garbage collector to visit, and with tens of thousands of them one visit
takes as long as a hundred answers. So the cache holds octets, and a ``CacheEntry`` is
made around them when one is read. Names that are asked often are repeated by the fast
path, which keeps whole messages.
"""

from __future__ import annotations

import marshal
from math import ceil, inf
from struct import Struct
from typing import TYPE_CHECKING, Self

from filterd.upstream import Resolution
from filterd.wire import Ede, RebuiltSections

if TYPE_CHECKING:
    from filterd.upstream import UpstreamQuestion

_BEHIND_THE_NAME = Struct("!HBI")
_DO, _CD = 1, 2


def pack_key(question: UpstreamQuestion, route: int) -> bytes:
    """Return a question to the route of this number, as one key."""
    flags = (_DO if question.do else 0) | (_CD if question.cd else 0)
    return question.qname + _BEHIND_THE_NAME.pack(question.qtype, flags, route)


def pack(resolution: Resolution) -> bytes:
    """Return a resolution as octets that ``unpack`` reads, in this process only."""
    rcode, sections, targets, ttl_s, edes, *flags = resolution
    told = tuple((int(ede.code), ede.text) for ede in edes) if edes else ()
    # One plain tuple: marshal knows no others, and each costs as much as what is in it.
    return marshal.dumps((int(rcode), *sections, targets, ttl_s, told, *flags))


def unpack(packed: bytes | bytearray) -> Resolution:
    """Return the resolution that was packed."""
    rcode, *sections, targets, ttl_s, told, authentic, private, ech, plain = marshal.loads(packed)  # noqa: S302 -- made here
    edes = tuple(Ede(*one) for one in told) if told else ()
    return Resolution(
        rcode, RebuiltSections(*sections), targets, ttl_s, edes, authentic, private, ech, plain
    )


_HEAD = Struct("=ddfIB")
_TIMES = Struct("=dd")
_STALE = Struct("=f")
_HITS = Struct("=I")
_STALE_AT, _HITS_AT, _REFRESHED_AT = 16, 20, 24
_MOST_HITS = 2**32 - 1

REFRESHED_FROM_HITS = 3
"""Hits, the current question included, from which a name is worth refreshing."""
REFRESHED_FROM_TTL_S = 10
"""Below this TTL the last tenth is too short for a round trip to matter."""
REFRESHED_IN_LAST = 0.1


class CacheEntry:
    """The octets of one entry: its times and hits, then the resolution.

    Times are monotonic. Two instances around the same ``octets`` are the same entry.
    """

    __slots__ = ("octets",)

    def __init__(self, octets: bytearray) -> None:
        self.octets = octets

    @classmethod
    def of(cls, resolution: Resolution, now: float, stale_s: float) -> Self:
        """Make an entry that may be served for ``stale_s`` beyond its lifetime."""
        head = _HEAD.pack(now, now + resolution.ttl_s, stale_s, 0, False)
        return cls(bytearray(head + pack(resolution)))

    @property
    def resolution(self) -> Resolution:
        """The resolution, unpacked anew each time."""
        return unpack(self.octets[_HEAD.size :])

    @property
    def stored_at(self) -> float:
        """The time at which it was stored."""
        at: float = _TIMES.unpack_from(self.octets)[0]
        return at

    @property
    def expires_at(self) -> float:
        """The time until which it is valid."""
        at: float = _TIMES.unpack_from(self.octets)[1]
        return at

    @property
    def gone_at(self) -> float:
        """The time until which it may be served although it has expired."""
        stale_s: float = _STALE.unpack_from(self.octets, _STALE_AT)[0]
        return self.expires_at + stale_s

    @property
    def hits(self) -> int:
        """The number of hits since it was stored."""
        hits: int = _HITS.unpack_from(self.octets, _HITS_AT)[0]
        return hits

    @hits.setter
    def hits(self, hits: int) -> None:
        _HITS.pack_into(self.octets, _HITS_AT, min(hits, _MOST_HITS))

    @property
    def refreshed(self) -> bool:
        """Whether a refresh has been started ahead of expiry."""
        return bool(self.octets[_REFRESHED_AT])

    @refreshed.setter
    def refreshed(self, refreshed: bool) -> None:
        self.octets[_REFRESHED_AT] = refreshed

    @property
    def refresh_at(self) -> float:
        """The time from which a popular entry is refreshed.

        Infinite where that makes no sense or has been started.
        """
        stored_at: float
        expires_at: float
        stored_at, expires_at = _TIMES.unpack_from(self.octets)
        ttl_s = expires_at - stored_at
        if self.refreshed or ttl_s < REFRESHED_FROM_TTL_S:
            return inf
        return expires_at - ttl_s * REFRESHED_IN_LAST


STEP_S = 16.0


class Expiries:
    """Keys by the step of time in which they expire.

    A queue in exact order would keep keys that were removed before their time, and would
    have to be rebuilt now and then, all at once, while clients wait. That an entry
    leaves a full cache some seconds after it expired and not at once harms no client.
    """

    def __init__(self) -> None:
        self._steps: dict[int, dict[bytes, None]] = {}
        self._first = 0
        """No earlier step has keys."""

    def add(self, key: bytes, expires_at: float) -> None:
        """Add a key that is not here yet."""
        step = ceil(expires_at / STEP_S)
        keys = self._steps.get(step)
        if keys is None:
            keys = self._steps[step] = {}
            self._first = min(self._first, step)
        keys[key] = None

    def remove(self, key: bytes, expires_at: float) -> None:
        """Remove a key that was added with this time; a key that was popped is skipped."""
        step = ceil(expires_at / STEP_S)
        keys = self._steps.get(step)
        if keys is None:
            return
        keys.pop(key, None)
        if not keys:
            del self._steps[step]

    def pop_expired(self, now: float) -> bytes | None:
        """Remove and return the newest key of the first past step, None if there is none."""
        while self._first * STEP_S <= now and self._steps:
            keys = self._steps.get(self._first)
            if keys is None:
                self._first = min(self._steps)
                continue
            key, _ = keys.popitem()
            if not keys:
                del self._steps[self._first]
            return key
        return None

    def clear(self) -> None:
        """Forget all keys."""
        self._steps.clear()
