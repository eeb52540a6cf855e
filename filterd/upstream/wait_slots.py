# SPDX-License-Identifier: Apache-2.0
"""Wait slots: which questions may wait for upstreams under load.

An exchange takes a slot until it ends. Names whose servers are silent hold theirs
for seconds, and one client can ask for a thousand such names. So one asker holds at
most a quarter of the slots. Where no slot is free, the exchange that has waited longest
gives way, if it has waited longer than nearly every answer takes. Unbound does
the same (``jostle-timeout``): quick answers go on, however many others hang.

``_pool`` does the same on the exchanges in flight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

MOST_PLACES = 1_000
"""Distinct exchanges at a time."""
MOST_AN_ASKER = 250
GIVES_WAY_AFTER_S = 0.2

K = TypeVar("K")


class WaitSlots(Generic[K]):
    """Slots by exchange, the oldest first; waiters for the same exchange share one."""

    def __init__(self) -> None:
        self._taken: dict[K, tuple[Hashable, float]] = {}
        self._by_asker: dict[Hashable, dict[K, None]] = {}

    def __len__(self) -> int:
        return len(self._taken)

    def in_the_way(self, asker: Hashable) -> K | None:
        """Return the exchange that must end before ``asker`` gets a slot, or None."""
        own = self._by_asker.get(asker)
        if own is not None and len(own) >= MOST_AN_ASKER:
            return next(iter(own))
        if len(self._taken) >= MOST_PLACES:
            return next(iter(self._taken))
        return None

    def gives_way(self, key: K, now: float) -> bool:
        """Return whether an exchange has waited so long that it may be ended for another."""
        return now - self._taken[key][1] >= GIVES_WAY_AFTER_S

    def take(self, key: K, asker: Hashable, now: float) -> None:
        """Take a slot; None stands for no client and has no share."""
        self._taken[key] = asker, now
        if asker is not None:
            self._by_asker.setdefault(asker, {})[key] = None

    def share(self, key: K, asker: Hashable) -> None:
        """Note a second waiter: the slot is no longer part of the first's share."""
        taken = self._taken.get(key)
        if taken is not None and taken[0] != asker:
            self._leave_share(taken[0], key)

    def free(self, key: K) -> None:
        """Free a slot. May be called twice."""
        taken = self._taken.pop(key, None)
        if taken is not None:
            self._leave_share(taken[0], key)

    def clear(self) -> None:
        """Free all slots."""
        self._taken.clear()
        self._by_asker.clear()

    def _leave_share(self, asker: Hashable, key: K) -> None:
        own = self._by_asker.get(asker)
        if own is not None:
            own.pop(key, None)
            if not own:
                del self._by_asker[asker]
