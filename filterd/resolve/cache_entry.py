# SPDX-License-Identifier: Apache-2.0
"""What the cache holds of one question, in one string of octets.

As an object with attributes each would be one more for the collector to visit, and
with tens of thousands of them a visit takes as long as a hundred answers. So what
is held are the octets, and an entry is made around them for who looks at one.
"""

from __future__ import annotations

from math import inf
from struct import Struct
from typing import TYPE_CHECKING, Self

from filterd.resolve.cache_packing import pack, unpack

if TYPE_CHECKING:
    from filterd.upstream import Resolution

_HEAD = Struct("=ddfIB")
_TIMES = Struct("=dd")
_STALE = Struct("=f")
_HITS = Struct("=I")
_STALE_AT, _HITS_AT, _REFRESHED_AT = 16, 20, 24
_MOST_HITS = 2**32 - 1

REFRESHED_FROM_HITS = 3
"""So often it was asked for, that of the last question included, what is worth asking again."""
REFRESHED_FROM_TTL_S = 10
"""Below this the last tenth is too short for a round trip to matter."""
REFRESHED_IN_LAST = 0.1


class Entry:
    """A resolution as it is held, behind what is known of it; times are monotonic.

    Two around the same ``octets`` are the same entry.
    """

    __slots__ = ("octets",)

    def __init__(self, octets: bytearray) -> None:
        self.octets = octets

    @classmethod
    def of(cls, resolution: Resolution, now: float, stale_s: float) -> Self:
        """Make an entry that may be given for ``stale_s`` beyond its lifetime."""
        head = _HEAD.pack(now, now + resolution.ttl_s, stale_s, 0, False)
        return cls(bytearray(head + pack(resolution)))

    @property
    def resolution(self) -> Resolution:
        """What was put; made anew each time."""
        return unpack(self.octets[_HEAD.size :])

    @property
    def stored_at(self) -> float:
        """When it was put."""
        at: float = _TIMES.unpack_from(self.octets)[0]
        return at

    @property
    def expires_at(self) -> float:
        """Until when it holds."""
        at: float = _TIMES.unpack_from(self.octets)[1]
        return at

    @property
    def gone_at(self) -> float:
        """Until when it may be given though it has expired."""
        stale_s: float = _STALE.unpack_from(self.octets, _STALE_AT)[0]
        return self.expires_at + stale_s

    @property
    def hits(self) -> int:
        """How often it was asked for since it was put."""
        hits: int = _HITS.unpack_from(self.octets, _HITS_AT)[0]
        return hits

    @hits.setter
    def hits(self, hits: int) -> None:
        _HITS.pack_into(self.octets, _HITS_AT, min(hits, _MOST_HITS))

    @property
    def refreshed(self) -> bool:
        """Whether it has been asked for again ahead of time."""
        return bool(self.octets[_REFRESHED_AT])

    @refreshed.setter
    def refreshed(self, refreshed: bool) -> None:
        self.octets[_REFRESHED_AT] = refreshed

    @property
    def refresh_at(self) -> float:
        """When it should be asked for again if it is popular by then.

        Infinite where that makes no sense or has been begun.
        """
        stored_at: float
        expires_at: float
        stored_at, expires_at = _TIMES.unpack_from(self.octets)
        ttl_s = expires_at - stored_at
        if self.refreshed or ttl_s < REFRESHED_FROM_TTL_S:
            return inf
        return expires_at - ttl_s * REFRESHED_IN_LAST
