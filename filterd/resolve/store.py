# SPDX-License-Identifier: Apache-2.0
"""The cache's memory: resolutions by question and upstream, bounded by octets.

The least recently used goes first. TTLs age by a clock that never goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from filterd.upstream import Resolution

DEFAULT_SIZE_OCTETS = 32 * 1024 * 1024

_ENTRY_OCTETS = 1_000
"""What an entry costs beside what is counted below: key, objects and dictionary slots."""
_RECORD_OCTETS = 80
"""What a record costs beside its octets: two numbers and where they are kept."""
_TARGET_OCTETS = 320
"""What a target costs: a name of 255 octets at most and its object."""
_EDE_OCTETS = 400
"""What an extended error costs beside its text, of four octets a character at most."""


class ResolutionStore:
    """Keeps resolutions while they hold and while there is room."""

    def __init__(self, size_octets: int = DEFAULT_SIZE_OCTETS) -> None:
        self._size_octets = size_octets
        self._used_octets = 0
        self._entries: OrderedDict[Hashable, tuple[Resolution, float]] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def used_octets(self) -> int:
        """Memory in use, never less than what is really taken."""
        return self._used_octets

    def get(self, key: Hashable, now: float) -> tuple[Resolution, int] | None:
        """Return what is held and its age in whole seconds, None if nothing that holds is."""
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return None
        resolution, stored_at = entry
        age_s = int(now - stored_at)
        if age_s >= resolution.ttl_s:
            self._remove(key)
            self.misses += 1
            return None
        self._entries.move_to_end(key)
        self.hits += 1
        return resolution, age_s

    def put(self, key: Hashable, resolution: Resolution, now: float) -> None:
        """Keep a resolution; one with no lifetime is not kept."""
        self._remove(key)
        cost = _cost(resolution)
        if resolution.ttl_s <= 0 or cost > self._size_octets:
            return
        self._entries[key] = resolution, now
        self._used_octets += cost
        while self._used_octets > self._size_octets:
            self._remove(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._used_octets = 0

    def _remove(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used_octets -= _cost(entry[0])


def _cost(resolution: Resolution) -> int:
    """Return the memory that a resolution takes; a test measures that it is no less."""
    sections, edes = resolution.sections, resolution.edes
    return (
        _ENTRY_OCTETS
        + len(sections.body)
        + _RECORD_OCTETS * len(sections.ttls)
        + _TARGET_OCTETS * len(resolution.targets)
        + sum(_EDE_OCTETS + 4 * len(ede.text) for ede in edes)
    )
