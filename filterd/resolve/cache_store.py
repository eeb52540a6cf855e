# SPDX-License-Identifier: Apache-2.0
"""The cache as a dictionary, where the native ``_cache`` was not built.

Resolutions by question, and failures, are bounded by octets. An expired
resolution stays while there is room, to be served where no upstream answers (RFC 8767).
Up to ``STEP_S`` after it expired it is evicted before all valid entries; of those the
least recently used is evicted first. TTLs age by a clock that never goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil
from sys import getsizeof
from typing import TYPE_CHECKING, Literal

from filterd.resolve.cache_entry import REFRESHED_FROM_HITS, CacheEntry, Failures, edes_octets
from filterd.upstream import UpstreamQuestion

if TYPE_CHECKING:
    from collections.abc import Hashable

    from filterd.upstream import Resolution, Route

DEFAULT_SIZE_OCTETS = 32 * 1024 * 1024

FAILURES_SHARE = 8
"""One part in eight is for failures: failing names cannot push out those that resolve."""

MOST_ROUTES = 4_096
"""Reloads and time of day make new ones; beyond so many the cache is emptied."""

STEP_S = 16.0
"""Entries that expire within the same step are evicted together, not in exact order."""

_ENTRY_OCTETS = 900
"""The memory of an entry beside its octets and numbers: objects, dictionary and set slots."""
_NUMBER_OCTETS = 40
"""The memory of an integer in a tuple. A test measures that both are no less."""


class ResolutionStore:
    """The cache: resolutions and failures, within a bound of memory.

    Attributes:
        failures: failed questions; within the same bound.
        hits, misses: lookups that found a valid entry, and those that did not.
        stale, cached_failures, refreshed: answers from expired entries,
            answers from failures, and questions asked ahead of expiry.
    """

    def __init__(self, size_octets: int = DEFAULT_SIZE_OCTETS) -> None:
        self._entries: OrderedDict[UpstreamQuestion, CacheEntry] = OrderedDict()
        self._expiries: dict[int, dict[UpstreamQuestion, None]] = {}
        self._used_octets = 0
        self._routes: set[Route] = set()
        self._put_last: Resolution | None = None
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

    def get(self, question: UpstreamQuestion, now: float) -> CacheEntry | None:
        """Return the valid entry, None if there is none, and count the lookup."""
        entry = self._entries.get(question)
        if entry is None or now >= entry.expires_at:
            self.misses += 1
            return None
        self._entries.move_to_end(question)
        entry.hits += 1
        self.hits += 1
        return entry

    def plain(self, question: UpstreamQuestion, now: float) -> CacheEntry | Literal[False] | None:
        """Return an entry that may be served as it is, None if unknown; count that.

        False, and not counted, where the cache link must decide: an entry has expired, or
        a failure is known, or a refresh is due if this question is answered.
        """
        entry = self._entries.get(question)
        if entry is None:
            if question in self.failures.by_question:
                return False
            self.misses += 1
            return None
        is_popular = entry.hits + 1 >= REFRESHED_FROM_HITS
        if now >= entry.expires_at or (is_popular and now >= entry.refresh_at):
            return False
        return self.get(question, now)

    def expired(self, question: UpstreamQuestion, now: float) -> CacheEntry | None:
        """Return an expired entry that may still be served if no upstream answers."""
        entry = self._entries.get(question)
        if entry is not None and now >= entry.gone_at:
            self._remove(question)
            return None
        return entry

    def mark_of(self, question: UpstreamQuestion) -> Hashable:
        """Return the mark of an entry for ``note_hits``: the question itself."""
        return question

    def note_hits(self, mark: Hashable, count: int) -> None:
        """Count answers from an entry that were repeated elsewhere as its hits.

        The repeater stops at an entry's last tenth, so that a question then comes here and
        begins the refresh.
        """
        assert isinstance(mark, UpstreamQuestion)
        entry = self._entries.get(mark)
        if entry is not None:
            self._entries.move_to_end(mark)
            entry.hits += count
            self.hits += count

    def repeatable_until(self, question: UpstreamQuestion, now: float) -> float:
        """Return until when an answer from here may be repeated; 0.0 for not at all.

        From that time on a question could begin the refresh; once the refresh has
        begun, only queries that come here get its result.
        """
        entry = self._entries.get(question)
        if entry is None or now >= entry.expires_at or entry.refreshed:
            return 0.0
        return min(entry.refresh_at, entry.expires_at)

    def put(
        self,
        question: UpstreamQuestion,
        resolution: Resolution,
        now: float,
        *,
        stale_s: float = 0.0,
    ) -> None:
        """Store a resolution in place of the old one, and ``stale_s`` beyond its lifetime.

        One with no lifetime is not stored. All waiters of one exchange store the same
        object, one after the other; it is done once.
        """
        if question.route not in self._routes and len(self._routes) >= MOST_ROUTES:
            self._begin_anew()
        self._routes.add(question.route)
        if resolution is self._put_last and question in self._entries:
            return
        self._put_last = resolution
        self._remove(question)
        taken = _taken(question, resolution) if resolution.ttl_s > 0 else 0
        if not 0 < taken <= self._size_octets:
            return
        entry = CacheEntry(resolution, now, now + resolution.ttl_s + stale_s)
        self._entries[question] = entry
        self._used_octets += taken
        self._expiries.setdefault(_step(entry), {})[question] = None
        self._make_room(now)

    def resize(self, size_octets: int, now: float) -> None:
        """Change the bound of memory."""
        self.failures.size_octets = size_octets // FAILURES_SHARE
        self.failures.make_room()
        self._size_octets = size_octets - self.failures.size_octets
        self._make_room(now)

    def _begin_anew(self) -> None:
        self._routes.clear()
        self._entries.clear()
        self._expiries.clear()
        self._used_octets = 0

    def _make_room(self, now: float) -> None:
        while self._used_octets > self._size_octets:
            first = min(self._expiries)
            expired = first * STEP_S <= now
            self._remove(next(reversed(self._expiries[first]) if expired else iter(self._entries)))

    def _remove(self, question: UpstreamQuestion) -> None:
        entry = self._entries.pop(question, None)
        if entry is not None:
            self._used_octets -= _taken(question, entry.resolution)
            step = _step(entry)
            del self._expiries[step][question]
            if not self._expiries[step]:
                del self._expiries[step]


def _step(entry: CacheEntry) -> int:
    """Return the first step of time at whose beginning an entry has expired."""
    return ceil(entry.expires_at / STEP_S)


def _taken(question: UpstreamQuestion, resolution: Resolution) -> int:
    """Return the memory that an entry takes."""
    sections, targets = resolution.sections, resolution.targets
    numbers = len(sections.ttl_offsets) + len(sections.ttls) + len(targets)
    octets = sum(map(getsizeof, (question.qname, sections.body, *targets)))
    return _ENTRY_OCTETS + _NUMBER_OCTETS * numbers + octets + edes_octets(resolution.edes)
