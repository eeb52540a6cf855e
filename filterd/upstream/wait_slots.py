# SPDX-License-Identifier: Apache-2.0
"""Who may wait for upstreams when many want to.

An exchange takes a place until it ends. Names whose servers say nothing hold
theirs for seconds, and one client can ask for a thousand such names; so no
asker holds more than a quarter of the places, and where no place is free the
exchange that has waited longest gives way, if it has waited longer than nearly
every answer takes. Unbound does the like (``jostle-timeout``): what is answered
quickly goes on being answered however much hangs.

``_singleflight`` does the same on what it has in flight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

MOST_PLACES = 1_000
"""Distinct exchanges at a time (dns.md §7)."""
MOST_AN_ASKER = 250
GIVES_WAY_AFTER_S = 0.2

K = TypeVar("K")


class WaitSlots(Generic[K]):
    """Places by what is exchanged, the oldest first. Many who want the same need one."""

    def __init__(self) -> None:
        self._taken: dict[K, tuple[Hashable, float]] = {}
        self._by_asker: dict[Hashable, dict[K, None]] = {}

    def __len__(self) -> int:
        return len(self._taken)

    def in_the_way(self, asker: Hashable) -> K | None:
        """Return what has to end before ``asker`` may take a place, None if nothing has."""
        own = self._by_asker.get(asker)
        if own is not None and len(own) >= MOST_AN_ASKER:
            return next(iter(own))
        if len(self._taken) >= MOST_PLACES:
            return next(iter(self._taken))
        return None

    def gives_way(self, key: K, now: float) -> bool:
        """Tell whether it has waited for so long that it may be ended for another."""
        return now - self._taken[key][1] >= GIVES_WAY_AFTER_S

    def take(self, key: K, asker: Hashable, now: float) -> None:
        """Take a place; None is nobody in particular and has no share."""
        self._taken[key] = asker, now
        if asker is not None:
            self._by_asker.setdefault(asker, {})[key] = None

    def share(self, key: K, asker: Hashable) -> None:
        """Note that another waits for the same: then it is no longer part of the first's share."""
        taken = self._taken.get(key)
        if taken is not None and taken[0] != asker:
            self._leave_share(taken[0], key)

    def free(self, key: K) -> None:
        """Give a place back. May be called twice."""
        taken = self._taken.pop(key, None)
        if taken is not None:
            self._leave_share(taken[0], key)

    def clear(self) -> None:
        """Give all places back."""
        self._taken.clear()
        self._by_asker.clear()

    def _leave_share(self, asker: Hashable, key: K) -> None:
        own = self._by_asker.get(asker)
        if own is not None:
            own.pop(key, None)
            if not own:
                del self._by_asker[asker]
