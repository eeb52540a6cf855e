# SPDX-License-Identifier: Apache-2.0
"""Cache entries: a resolution, the times of its life, and how often it was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filterd.upstream import Resolution

REFRESHED_FROM_HITS = 3
"""Hits, the current question included, from which a name is worth refreshing."""
REFRESHED_FROM_TTL_S = 10
"""Below this TTL the last tenth is too short for a round trip to matter."""
REFRESHED_IN_LAST = 0.1


@dataclass(slots=True)
class CacheEntry:
    """One entry; its times are monotonic.

    Attributes:
        resolution: what was stored.
        stored_at: when that was.
        gone_at: the time until which it may be served although it has expired.
        hits: how often it was asked for since.
        refreshed: whether a refresh has been started ahead of expiry.
    """

    resolution: Resolution
    stored_at: float
    gone_at: float
    hits: int = 0
    refreshed: bool = False

    @property
    def expires_at(self) -> float:
        """The time until which it is valid."""
        return self.stored_at + self.resolution.ttl_s

    @property
    def refresh_at(self) -> float:
        """The time from which a popular entry is refreshed.

        Infinite where that makes no sense or has been started.
        """
        ttl_s = self.expires_at - self.stored_at
        if self.refreshed or ttl_s < REFRESHED_FROM_TTL_S:
            return inf
        return self.expires_at - ttl_s * REFRESHED_IN_LAST
