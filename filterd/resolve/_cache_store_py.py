# SPDX-License-Identifier: Apache-2.0
"""The cache in readable Python (the reference of ``_cache``).

Resolutions by question and route, and failures, are bounded by octets. An expired
resolution stays while there is room, to be served where no upstream answers (RFC 8767).
Some seconds after it expired (``cache_entry.Expiries``) it is evicted before all valid
entries; of those the least recently used is evicted first. TTLs age by a clock that never
goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Literal

from filterd.resolve.cache_entry import REFRESHED_FROM_HITS, CacheEntry, Expiries, pack_key
from filterd.resolve.failures import Failures

if TYPE_CHECKING:
    from collections.abc import Hashable

    from filterd.resolve.failures import CacheKey
    from filterd.upstream import Resolution, Route, UpstreamQuestion

DEFAULT_SIZE_OCTETS = 32 * 1024 * 1024

FAILURES_SHARE = 8
"""One part in eight is for failures: failing names cannot push out those that resolve."""

_ENTRY_OCTETS = 440
"""The memory of an entry beside its key and its resolution: objects, dictionary and set
slots. A test measures that it is no less.
"""

MOST_ROUTES = 4_096
"""Reloads and time of day make new ones; beyond so many the cache is emptied."""


class ResolutionStore:
    """The cache: resolutions and failures, within a bound of memory.

    Attributes:
        failures: failed questions; within the same bound.
        hits, misses: lookups that found a valid entry, and those that did not.
        stale, cached_failures, refreshed: answers from expired entries,
            answers from failures, and questions asked ahead of expiry.
    """

    def __init__(self, size_octets: int = DEFAULT_SIZE_OCTETS) -> None:
        self._entries: OrderedDict[bytes, bytearray] = OrderedDict()
        self._expiries = Expiries()
        self._used_octets = 0
        self._routes: dict[Route, int] = {}
        self._put_last: Resolution | None = None
        self._packed_last: tuple[CacheKey | None, bytes] = None, b""
        self.failures = Failures(0)
        self.hits = self.misses = self.stale = self.cached_failures = self.refreshed = 0
        self.resize(size_octets, now=0.0)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_octets(self) -> int:
        """The bound, without the share of failures."""
        return self._size_octets

    @property
    def used_octets(self) -> int:
        """The memory in use, never less than the real one, that of an odd layout included."""
        return self._used_octets + self.failures.used_octets

    def figures(self) -> dict[str, int]:
        """Return counters for ``status``; those of several workers add up."""
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

    def get(self, key: CacheKey, now: float) -> CacheEntry | None:
        """Return the valid entry, None if there is none, and count the lookup."""
        packed = self._packed(key)
        entry = self._held(packed)
        if entry is None or now >= entry.expires_at:
            self.misses += 1
            return None
        self._entries.move_to_end(packed)
        entry.hits += 1
        self.hits += 1
        return entry

    def plain(
        self, question: UpstreamQuestion, route: Route, now: float
    ) -> CacheEntry | Literal[False] | None:
        """Return an entry that may be served as it is, None if unknown; count that.

        False, and not counted, where the cache link must decide: an entry has expired, or
        a failure is known, or a refresh is due if this question is answered.
        """
        key = question, route
        entry = self._held(self._packed(key))
        if entry is None:
            if key in self.failures.by_key:
                return False
            self.misses += 1
            return None
        is_popular = entry.hits + 1 >= REFRESHED_FROM_HITS
        if now >= entry.expires_at or (is_popular and now >= entry.refresh_at):
            return False
        return self.get(key, now)

    def expired(self, key: CacheKey, now: float) -> CacheEntry | None:
        """Return an expired entry that may still be served if no upstream answers."""
        packed = self._packed(key)
        entry = self._held(packed)
        if entry is not None and now >= entry.gone_at:
            self._remove(packed)
            return None
        return entry

    def mark_of(self, key: CacheKey) -> Hashable:
        """Return the mark of an entry for ``note_hits``, small enough to keep thousands."""
        return self._packed(key)

    def note_hits(self, mark: Hashable, count: int) -> None:
        """Count answers from an entry that were repeated elsewhere as its hits.

        The repeater stops at an entry's last tenth, so that a question then comes here and
        begins the refresh.
        """
        assert isinstance(mark, bytes)
        entry = self._held(mark)
        if entry is not None:
            self._entries.move_to_end(mark)
            entry.hits += count
            self.hits += count

    def repeatable_until(self, key: CacheKey, now: float) -> float:
        """Return until when an answer from here may be repeated; 0.0 for not at all.

        From that time on a question could begin the refresh; once the refresh has
        begun, only queries that come here get its result.
        """
        entry = self._held(self._packed(key))
        if entry is None or now >= entry.expires_at or entry.refreshed:
            return 0.0
        return min(entry.refresh_at, entry.expires_at)

    def put(
        self, key: CacheKey, resolution: Resolution, now: float, *, stale_s: float = 0.0
    ) -> None:
        """Store a resolution in place of the old one, and ``stale_s`` beyond its lifetime.

        One with no lifetime is not stored. All waiters of one exchange store the same
        object, one after the other; it is done once.
        """
        self._number(key[1])
        packed = self._packed(key)
        if resolution is self._put_last and packed in self._entries:
            return
        self._put_last = resolution
        self._remove(packed)
        if resolution.ttl_s <= 0:
            return
        entry = CacheEntry.of(resolution, now, stale_s)
        taken = _taken(packed, entry.octets)
        if taken > self._size_octets:
            return
        self._entries[packed] = entry.octets
        self._used_octets += taken
        self._expiries.add(packed, entry.expires_at)
        self._make_room(now)

    def resize(self, size_octets: int, now: float) -> None:
        """Change the bound of memory."""
        self.failures.size_octets = size_octets // FAILURES_SHARE
        self.failures.make_room()
        self._size_octets = size_octets - self.failures.size_octets
        self._make_room(now)

    def _held(self, packed: bytes) -> CacheEntry | None:
        octets = self._entries.get(packed)
        return None if octets is None else CacheEntry(octets)

    def _packed(self, key: CacheKey) -> bytes:
        """Return the key of a question; 0 is the route of a question that is not stored.

        The last key is memorised: mostly it is asked for again.
        """
        if key is not self._packed_last[0]:
            question, route = key
            self._packed_last = key, pack_key(question, self._routes.get(route, 0))
        return self._packed_last[1]

    def _number(self, route: Route) -> None:
        if route not in self._routes:
            if len(self._routes) >= MOST_ROUTES:
                self._begin_anew()
            self._routes[route] = len(self._routes) + 1
            self._packed_last = None, b""

    def _begin_anew(self) -> None:
        self._routes.clear()
        self._packed_last = None, b""
        self._entries.clear()
        self._expiries.clear()
        self._used_octets = 0

    def _make_room(self, now: float) -> None:
        while self._used_octets > self._size_octets:
            self._remove(self._expiries.pop_expired(now) or next(iter(self._entries)))

    def _remove(self, key: bytes) -> None:
        octets = self._entries.pop(key, None)
        if octets is not None:
            self._expiries.remove(key, CacheEntry(octets).expires_at)
            self._used_octets -= _taken(key, octets)


def _taken(key: bytes, octets: bytearray) -> int:
    """Return the memory that an entry takes."""
    return _ENTRY_OCTETS + len(key) + len(octets)
