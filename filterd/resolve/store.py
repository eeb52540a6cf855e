# SPDX-License-Identifier: Apache-2.0
"""The cache's memory: resolutions by question and route, and failures, bounded by octets.

An expired resolution stays while there is room, to be given where no upstream
answers (RFC 8767). It leaves before anything that still holds; among what
holds, the least recently used leaves first. TTLs age by a clock that never
goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from filterd.resolve.failures import Failures, edes_octets

if TYPE_CHECKING:
    from filterd.resolve.failures import Key
    from filterd.upstream import Resolution

DEFAULT_SIZE_OCTETS = 32 * 1024 * 1024

_FAILURES_SHARE = 8
"""One part in eight is for failures: names that nobody has cannot push out those that work."""

_REFRESHED_FROM_TTL_S = 10
"""Below this the last tenth is too short for a round trip to matter."""
_REFRESHED_IN_LAST = 0.1

_ENTRY_OCTETS = 1_400
"""What an entry costs beside what is counted below: key, objects and dictionary slots."""
_RECORD_OCTETS = 80
"""What a record costs beside its octets: two numbers and where they are kept."""
_TARGET_OCTETS = 320
"""What a target costs: a name of 255 octets at most and its object."""


Expiry = tuple[float, int, "Key"]
"""When it expires (monotonic), a serial number to tell items apart, and what."""


class Entry:
    """A resolution as it is held; times are monotonic.

    ``refresh_at`` is when it should be asked for again if it is popular by then,
    infinite where that makes no sense or has been begun. ``gone_at`` is until
    when it may be given though it has expired. ``hits`` are those since it was
    put. ``expiry`` is its item in the queue of what expires when.
    """

    __slots__ = (
        "expires_at",
        "expiry",
        "gone_at",
        "hits",
        "octets",
        "refresh_at",
        "resolution",
        "stored_at",
    )

    def __init__(self, resolution: Resolution, now: float, stale_s: float) -> None:
        ttl_s = resolution.ttl_s
        self.resolution, self.stored_at = resolution, now
        self.expires_at = now + ttl_s
        self.expiry: Expiry | None = None
        self.gone_at = self.expires_at + stale_s
        self.refresh_at = float("inf")
        if ttl_s >= _REFRESHED_FROM_TTL_S:
            self.refresh_at = now + ttl_s * (1 - _REFRESHED_IN_LAST)
        self.hits = 0
        self.octets = _octets(resolution)


class ResolutionStore:
    """Keeps resolutions and failures while there is room.

    Attributes:
        failures: what could not be had; within the same bound.
        hits, misses: lookups of what holds.
        stale, cached_failures, refreshed: answers given from what has expired,
            answers from what failed, and questions asked ahead of time.
    """

    def __init__(self, size_octets: int = DEFAULT_SIZE_OCTETS) -> None:
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._expiries: list[Expiry] = []
        self._used_octets = 0
        self._serial = 0
        self.failures = Failures(0)
        self.hits = self.misses = self.stale = self.cached_failures = self.refreshed = 0
        self.resize(size_octets, now=0.0)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def used_octets(self) -> int:
        """Memory in use, never less than what is really taken."""
        return self._used_octets + self.failures.used_octets

    def figures(self) -> dict[str, int]:
        """Return how it fares, for ``status``; several workers' add up."""
        return {
            "entries": len(self._entries),
            "failures": len(self.failures),
            "octets": self.used_octets,
            "hits": self.hits,
            "misses": self.misses,
            "stale": self.stale,
            "cached_failures": self.cached_failures,
            "refreshed": self.refreshed,
        }

    def get(self, key: Key, now: float) -> Entry | None:
        """Return what holds, None if nothing does, and count that."""
        entry = self._entries.get(key)
        if entry is None or now >= entry.expires_at:
            self.misses += 1
            return None
        self._entries.move_to_end(key)
        entry.hits += 1
        self.hits += 1
        return entry

    def expired(self, key: Key, now: float) -> Entry | None:
        """Return what held once and may still be given if nobody answers."""
        entry = self._entries.get(key)
        if entry is not None and now >= entry.gone_at:
            self._remove(key)
            return None
        return entry

    def note_hits(self, key: Key, count: int) -> None:
        """See that an answer from here was repeated so often elsewhere: it is as much in use.

        Whoever repeats answers stops at an entry's last tenth, so that a
        question in it comes here and begins the refresh.
        """
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
            entry.hits += count
            self.hits += count

    def repeatable_until(self, key: Key, now: float) -> float:
        """Return until when an answer from here may be repeated elsewhere; 0.0 for not at all.

        That is the moment from which a question could begin the refresh; once
        it has begun, only who asks here gets what comes of it.
        """
        entry = self._entries.get(key)
        if entry is None or now >= entry.expires_at:
            return 0.0
        if entry.resolution.ttl_s < _REFRESHED_FROM_TTL_S:
            return entry.expires_at
        return entry.refresh_at if entry.refresh_at < float("inf") else 0.0

    def put(self, key: Key, resolution: Resolution, now: float, *, stale_s: float = 0.0) -> None:
        """Keep a resolution in place of the one before, and ``stale_s`` beyond its lifetime.

        One with no lifetime is not kept. Everybody who waited for one exchange
        puts the same; that is done once.
        """
        last = self._entries.get(key)
        if last is not None and last.resolution is resolution:
            return
        self._remove(key)
        entry = Entry(resolution, now, stale_s)
        if resolution.ttl_s <= 0 or entry.octets > self._size_octets:
            return
        self._entries[key] = entry
        self._used_octets += entry.octets
        self._serial += 1
        entry.expiry = (entry.expires_at, self._serial, key)
        heappush(self._expiries, entry.expiry)
        self._make_room(now)

    def resize(self, size_octets: int, now: float) -> None:
        """Change the bound."""
        self.failures.size_octets = size_octets // _FAILURES_SHARE
        self.failures.make_room()
        self._size_octets = size_octets - self.failures.size_octets
        self._make_room(now)

    def _make_room(self, now: float) -> None:
        while self._used_octets > self._size_octets:
            self._remove(self._pop_expired(now) or next(iter(self._entries)))
        if 4 * len(self._expiries) > 5 * len(self._entries) + 64:  # those of what has left
            self._expiries = [entry.expiry for entry in self._entries.values() if entry.expiry]
            heapify(self._expiries)

    def _pop_expired(self, now: float) -> Key | None:
        """Return what expired longest ago; None if all that is held holds."""
        while self._expiries and self._expiries[0][0] <= now:
            expiry = heappop(self._expiries)
            entry = self._entries.get(expiry[2])
            if entry is not None and entry.expiry is expiry:
                return expiry[2]
        return None

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used_octets -= entry.octets


def _octets(resolution: Resolution) -> int:
    """Return the memory that a resolution takes; a test measures that it is no less."""
    sections = resolution.sections
    return (
        _ENTRY_OCTETS
        + len(sections.body)
        + _RECORD_OCTETS * len(sections.ttls)
        + _TARGET_OCTETS * len(resolution.targets)
        + edes_octets(resolution.edes)
    )
